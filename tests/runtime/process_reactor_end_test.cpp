// The end of the reactor, with processes under way.
#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <future>
#include <memory>
#include <vector>

namespace troupe {
namespace {

TEST(process_reactor_end, kills_what_is_left_and_tells_its_end) {
  const auto mark = new_mark();
  std::vector<child_record> all;
  {
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    for (int i = 0; i < 20; ++i) {
      all.push_back(
          start(reactor, scripted({"mark", mark, "ignore-term", "detach", "hang", "--", "print", "x", "hang"})).second);
    }
    for (const auto& child : all) {
      ASSERT_TRUE(child->wait_for_bytes(1));
    }
  }
  for (const auto& child : all) {
    EXPECT_TRUE(child->was_told("ended"));
    EXPECT_EQ(child->end.exit.signal, SIGKILL);
    EXPECT_TRUE(child->end.tree_gone);
  }
  EXPECT_EQ(processes_marked(mark).size(), 0U);
}

TEST(process_reactor_end, tells_the_end_of_starts_that_never_came_to_it) {
  std::vector<child_record> all;
  {
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    for (int i = 0; i < 50; ++i) {
      auto what = scripted({"hang"});
      what.key = i % 2 == 0 ? "same" : "";
      all.push_back(start(reactor, what).second);
    }
  }
  for (const auto& child : all) {
    EXPECT_TRUE(child->was_told("ended"));
    const auto& exit = child->end.exit;
    const int told = exit.exit_code.has_value() + exit.signal.has_value() + exit.start_failure.has_value();
    EXPECT_TRUE(told == 1 || (told == 0 && child->end.custodian_lost)) << told;
  }
}

TEST(process_reactor_end, what_has_started_and_takes_longer_than_its_patience_is_interrupted) {
  const auto mark = new_mark();
  child_record child;
  std::vector<pid_t> keepers;
  {
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    child = start(reactor, scripted({"mark", mark, "print", "x", "hang"})).second;
    ASSERT_TRUE(child->wait_for_bytes(1));
    ASSERT_TRUE(child->wait_for("started"));  // the keeper's own word, which it could not say any more
    keepers = children_of(static_cast<pid_t>(reactor.custodian_pid()));
    ASSERT_EQ(keepers.size(), 1U);
    ::kill(keepers[0], SIGSTOP);
  }
  EXPECT_TRUE(child->was_told("ended"));
  EXPECT_FALSE(child->end.exit.start_failure) << "it ran";
  EXPECT_TRUE(child->end.custodian_lost);
  EXPECT_FALSE(child->end.tree_gone);
  EXPECT_EQ(child->end.standard_output, "x");
  if (!processes_marked(mark).empty()) {  // else the keeper is gone, and its number may be somebody else's
    ::kill(keepers[0], SIGCONT);
  }
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark).empty(); }));
}

TEST(process_reactor_end, tells_the_end_of_a_start_out_of_the_last_callback) {
  const auto late = std::make_shared<watched_child>();
  {
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    process_listener listener;
    std::promise<void> up;
    listener.started = [&](process_identity) { up.set_value(); };
    listener.ended = [&](const process_end&) { reactor.start(scripted({"hang"}), watched_child::listener(late)); };
    reactor.start(scripted({"hang"}), listener);
    up.get_future().wait();
  }
  EXPECT_TRUE(late->was_told("ended"));
}

}  // namespace
}  // namespace troupe
