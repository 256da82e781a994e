// What the live display and the log show of the elements of a map.
#include "runtime/cli/event_line.hpp"
#include "runtime/cli/progress_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

event of_item(event_kind kind, int item) {
  event told;
  told.run = run_id{"r-1"};
  told.kind = kind;
  told.superstep = superstep_no{1};
  told.step = step_id{"each"};
  told.agent = agent_name{"up"};
  told.task = make_task_id(told.run, *told.superstep, *told.step, *told.agent, item);
  told.attempt = attempt_no{1};
  return told;
}

std::string shown(const progress_view& view) {
  std::string text;
  for (const auto& line : view.lines({}, {200, 50}, style{})) {
    text += line + '\n';
  }
  return text;
}

TEST(map_progress_test, an_event_names_its_element) {
  EXPECT_EQ(event_place(of_item(event_kind::task_started, 3)), "each/up[3]");
  auto alone = of_item(event_kind::task_started, 3);
  alone.agent = agent_name{"each"};
  alone.task = make_task_id(alone.run, *alone.superstep, *alone.step, *alone.agent);
  EXPECT_EQ(event_place(alone), "each/each");
}

TEST(map_progress_test, each_of_a_few_has_a_line) {
  progress_view view;
  for (int item = 0; item < 3; ++item) {
    view.apply(of_item(event_kind::task_queued, item));
  }
  view.apply(of_item(event_kind::task_completed, 1));
  EXPECT_THAT(shown(view), AllOf(HasSubstr("1 of 3"), HasSubstr("up[0]"), HasSubstr("up[2]")));
}

TEST(map_progress_test, of_many_those_are_shown_that_something_goes_on_with) {
  progress_view view;
  for (int item = 0; item < 1'000; ++item) {
    view.apply(of_item(event_kind::task_queued, item));
  }
  view.apply(of_item(event_kind::task_started, 500));
  view.apply(of_item(event_kind::task_failed, 7));
  EXPECT_THAT(shown(view),
              AllOf(HasSubstr("1 of 1000"), HasSubstr("up[500]"), HasSubstr("up[7]"), Not(HasSubstr("up[0]"))));
}

}  // namespace
}  // namespace troupe
