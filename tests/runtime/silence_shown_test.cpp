// The live display of `troupe run` and agents that print nothing.
#include "runtime/cli/progress_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const timestamp begun{std::chrono::hours{500'000}};

class silence_shown_test : public ::testing::Test {
 protected:
  silence_shown_test() {
    event started;
    started.run = run_id{"r"};
    started.time = begun;
    started.kind = event_kind::task_started;
    started.step = step_id{"s"};
    started.superstep = superstep_no{1};
    started.agent = agent_name{"a"};
    started.attempt = attempt_no{1};
    started.task = task();
    view_.apply(started);
  }

  static task_id task() { return make_task_id(run_id{"r"}, superstep_no{1}, step_id{"s"}, agent_name{"a"}); }

  void tell(std::chrono::seconds after, milliseconds silent, std::chrono::seconds cpu, bool busy) {
    task_progress told{run_id{"r"}, step_id{"s"}, task(), attempt_no{1}, agent_name{"a"}, begun + after, "words", 6};
    told.silent = silent;
    told.cpu_time = cpu;
    told.busy = busy;
    view_.apply(told);
  }

  std::string shown(std::chrono::seconds after) const {
    std::string all;
    for (const auto& line : view_.lines(begun + after, {.columns = 100, .rows = 20}, style{})) {
      all += line + '\n';
    }
    return all;
  }

  progress_view view_;
};

using std::chrono::seconds;

TEST_F(silence_shown_test, tells_who_computes_from_who_waits) {
  tell(seconds{50}, milliseconds{38'000}, seconds{35}, true);
  EXPECT_THAT(shown(seconds{52}), AllOf(HasSubstr("silent for 40s, busy (cpu 35s)"), HasSubstr("words")));
  tell(seconds{60}, milliseconds{48'000}, seconds{35}, false);
  EXPECT_THAT(shown(seconds{60}), AllOf(HasSubstr("silent for 48s, idle"), Not(HasSubstr("cpu"))));
}

TEST_F(silence_shown_test, says_nothing_of_a_short_silence_or_of_one_that_is_over) {
  tell(seconds{2}, milliseconds{1'000}, seconds{0}, false);
  EXPECT_THAT(shown(seconds{3}), Not(HasSubstr("silent")));
  tell(seconds{50}, milliseconds{38'000}, seconds{0}, false);
  tell(seconds{51}, milliseconds{0}, seconds{0}, false);
  EXPECT_THAT(shown(seconds{51}), Not(HasSubstr("silent")));
}

}  // namespace
}  // namespace troupe
