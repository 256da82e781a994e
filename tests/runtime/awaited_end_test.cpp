// How the end of a run in another process is waited for, in virtual time.
#include "runtime/cli/awaited_end.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;

class awaited_end_test : public testing::Test {
 protected:
  milliseconds passed() const { return std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()); }

  static result<run_view> run_in(run_state state) {
    run_view view;
    view.state = state;
    return view;
  }

  std::optional<result<run_view>> wait(milliseconds patience) {
    end_ports ports;
    ports.has_owner = [this] { return has_owner_; };
    ports.look = [this] {
      ++looks_;
      return look_(passed());
    };
    ports.under_way = [this] { return under_way_; };
    ports.ask_again = [this] { asked_.push_back(passed()); };
    ports.tell = [this](const std::string& line) { told_.emplace_back(std::to_string(passed().count()) + ' ' + line); };
    ports.now = [this] { return now_; };
    ports.sleep = [this](milliseconds length) {
      EXPECT_GT(length, 0ms);
      now_ += length;
      has_owner_ = has_owner_ && passed() < owner_dies_;
    };
    return await_end(run_id{"r1"}, patience, ports);
  }

  steady_clock::time_point now_;
  milliseconds owner_dies_ = 24h;
  bool has_owner_ = true;
  std::function<result<run_view>(milliseconds)> look_ = [](milliseconds) { return run_in(run_state::running); };
  std::vector<std::string> under_way_{"wait/held"};
  int looks_ = 0;
  std::vector<milliseconds> asked_;
  std::vector<std::string> told_;
};

TEST_F(awaited_end_test, an_end_is_told_at_once_and_nothing_else) {
  look_ = [](milliseconds at) { return run_in(at < 100ms ? run_state::running : run_state::cancelled); };
  const auto ended = wait(1h);
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->state, run_state::cancelled);
  EXPECT_LE(passed(), 140ms);
  EXPECT_TRUE(asked_.empty() && told_.empty());
}

TEST_F(awaited_end_test, looks_less_and_less_often_and_asks_again) {
  look_ = [](milliseconds at) { return run_in(at < 60s ? run_state::running : run_state::cancelled); };
  ASSERT_TRUE(wait(1h));
  EXPECT_LE(looks_, 130) << "two a second, once it takes long";
  EXPECT_EQ(asked_.size(), 19U) << "each three seconds";
  EXPECT_LE(passed(), 60'500ms);
}

TEST_F(awaited_end_test, tells_what_it_waits_for_ever_less_often) {
  look_ = [](milliseconds at) { return run_in(at < 10s ? run_state::running : run_state::cancelled); };
  ASSERT_TRUE(wait(1h));
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_THAT(told_[0], HasSubstr("run r1 has not ended yet: wait/held is at work"));
  under_way_ = {"a/x", "b/y"};
  now_ = {};
  look_ = [](milliseconds at) { return run_in(at < 10min ? run_state::running : run_state::cancelled); };
  told_.clear();
  ASSERT_TRUE(wait(1h));
  EXPECT_THAT(told_.front(), HasSubstr("a/x and b/y are at work"));
  EXPECT_EQ(told_.size(), 13U) << "3, 9, 21, 45, 93 s, and then each minute";
}

TEST_F(awaited_end_test, does_not_wait_for_ever_and_says_what_to_do) {
  const auto ended = wait(10s);
  ASSERT_TRUE(ended && !*ended);
  EXPECT_EQ(passed(), 10s);
  EXPECT_EQ(ended->error().code, error_code::lease_held);
  EXPECT_THAT(ended->error().message, AllOf(HasSubstr("wait/held is at work"), HasSubstr("has waited 10s")));
  EXPECT_THAT(ended->error().hint, AllOf(HasSubstr("troupe cancel RUN --now"), HasSubstr("--timeout")));
  under_way_.clear();
  EXPECT_THAT(wait(0ms)->error().message, HasSubstr("run r1 has not ended yet; this command"));
}

TEST_F(awaited_end_test, an_error_that_may_pass_ends_nothing) {
  for (const auto code : {error_code::storage_busy, error_code::storage_unavailable, error_code::backpressure}) {
    now_ = {};
    look_ = [&](milliseconds at) -> result<run_view> {
      return at < 1s ? result<run_view>{error{code, "not now", ""}} : run_in(run_state::completed);
    };
    const auto ended = wait(1h);
    ASSERT_TRUE(ended && *ended) << to_string(code);
  }
  look_ = [](milliseconds) -> result<run_view> { return error{error_code::storage_corrupt, "damaged", ""}; };
  EXPECT_EQ(wait(1h)->error().code, error_code::storage_corrupt);
  EXPECT_EQ(wait(1h)->error().message, "damaged");
}

// Its last rows come before it lets go of the database.
TEST_F(awaited_end_test, an_owner_that_dies_leaves_the_run_or_its_end) {
  owner_dies_ = 5s;
  EXPECT_FALSE(wait(1h));
  now_ = {};
  has_owner_ = true;
  look_ = [this](milliseconds) {
    const bool had_owner = has_owner_;
    has_owner_ = false;
    return run_in(had_owner ? run_state::cancelled : run_state::running);
  };
  const auto ended = wait(1h);
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->state, run_state::cancelled);
}

}  // namespace
}  // namespace troupe
