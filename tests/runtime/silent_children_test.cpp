// What is known of a child that prints nothing: for how long, and whether its tree computes meanwhile.
#include "actors/agent/liveness.hpp"
#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe {
namespace {

class silent_children_test : public ::testing::TestWithParam<control_groups> {
 protected:
  process_reactor reactor_{{.custodian = TROUPE_CUSTODIAN_PATH, .groups = GetParam()}};
};

TEST_P(silent_children_test, a_silent_tree_that_computes_is_told_from_one_that_waits) {
  const auto [busy_handle, busy] = start(reactor_, scripted({"print", "x", "detach", "spin", "--", "hang"}));
  const auto [idle_handle, idle] = start(reactor_, scripted({"hang"}));
  ASSERT_TRUE(busy->wait_for_silences(2));
  ASSERT_TRUE(idle->wait_for_silences(2));
  for (const auto& child : {busy, idle}) {
    const auto seen = child->silences();
    EXPECT_GE(seen[0].length, milliseconds{1'000});
    EXPECT_GT(seen[1].length, seen[0].length);
    EXPECT_GE(seen[1].cpu_time, seen[0].cpu_time);
    EXPECT_GE(seen[1].window, milliseconds{900});
  }
  EXPECT_TRUE(is_busy(busy->silences()[1])) << "an orphan in a session of its own is of the tree";
  EXPECT_FALSE(is_busy(idle->silences()[1]));
  reactor_.kill(busy_handle);
  reactor_.kill(idle_handle);
  ASSERT_TRUE(busy->wait_for("ended"));
  ASSERT_TRUE(idle->wait_for("ended"));
  EXPECT_GE(busy->end.usage.cpu_time, busy->silences()[1].cpu_time);
  EXPECT_LT(idle->end.usage.cpu_time, std::chrono::milliseconds{500});
}

INSTANTIATE_TEST_SUITE_P(with_and_without_control_groups,
                         silent_children_test,
                         ::testing::Values(control_groups::where_possible, control_groups::none));

TEST(silent_children, one_that_prints_is_not_silent_and_says_when_it_printed) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto before = std::chrono::system_clock::now() - std::chrono::microseconds{1};
  const auto child = run(reactor, scripted({"print", "a", "work", "200", "complain", "b"}));
  EXPECT_TRUE(child->silences().empty());
  ASSERT_TRUE(child->end.first_output_at && child->end.last_output_at);
  EXPECT_GE(*child->end.first_output_at, before);
  EXPECT_GE(*child->end.last_output_at - *child->end.first_output_at, std::chrono::milliseconds{150});
  EXPECT_LE(*child->end.last_output_at, std::chrono::system_clock::now());
  const auto mute = run(reactor, scripted({"exit", "0"}));
  EXPECT_FALSE(mute->end.first_output_at);
  EXPECT_FALSE(mute->end.last_output_at);
}

}  // namespace
}  // namespace troupe
