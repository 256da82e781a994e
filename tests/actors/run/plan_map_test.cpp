// Maps, errors that are dealt with, and joins: the plan over several supersteps.
#include "tests/actors/run/plan_material.hpp"
#include "tests/actors/run/stored_run.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

step map_step(const std::string& id, const std::string& over, const std::vector<std::string>& next = {}) {
  auto made = function_step(id, next);
  made.map = map_policy{over, "file", {}, made.function, {}, {}, 0};
  made.function.reset();
  return made;
}

workflow over_files(step map, const std::string& files, std::vector<step> rest = {}) {
  rest.insert(rest.begin(), std::move(map));
  auto flow = flow_of(std::move(rest));
  flow.state.push_back({field_name{"files"}, json_text{files}, reducer::last, {}});
  return flow;
}

TEST(plan_map_test, each_element_is_a_task_and_the_results_come_in_the_order_of_the_list) {
  auto each = map_step("each", "/files", {"after"});
  each.prompt = "Look at {{file.name}} of {{run.subject}}";
  auto progress = planned(over_files(each, R"([{"name":"a"},{"name":"b"},{"name":"c"}])", {function_step("after")}));
  const auto orders = progress.admit();
  ASSERT_EQ(orders.size(), 3U);
  EXPECT_EQ(orders[1].task.id.str(), "r-1/1/each/work/1");
  EXPECT_EQ(orders[1].prompt, "Look at b of river");
  EXPECT_EQ(orders[1].item->str(), R"({"name":"b"})");
  EXPECT_NE(orders[0].seed, orders[1].seed);
  EXPECT_NE(orders[0].task.order_key, orders[1].task.order_key);
  for (const int i : {2, 0, 1}) {
    progress.finished(orders[static_cast<std::size_t>(i)].task.id, completed(std::to_string(i)));
  }
  const auto closed = progress.close();
  EXPECT_EQ(closed.deltas.str(), R"([["each","","each",[0,1,2]]])");
  EXPECT_EQ(names(closed.next_front), "after");
  ASSERT_EQ(closed.verdicts.size(), 1U);
  EXPECT_EQ(closed.verdicts[0].answers.size(), 3U);
  EXPECT_EQ(closed.verdicts[0].reached.answered.size(), 3U) << "`db check` counts them";
  EXPECT_FALSE(closed.verdicts[0].reached.degraded);
}

TEST(plan_map_test, no_element_is_no_task_and_still_a_result) {
  auto progress = planned(over_files(map_step("each", "/files", {"after"}), "[]", {function_step("after")}));
  EXPECT_TRUE(progress.complete());
  const auto closed = progress.close();
  EXPECT_EQ(closed.state.str(), R"({"each":[],"files":[]})");
  EXPECT_EQ(names(closed.next_front), "after");
}

// As many supersteps as there are steps may be passed in a row with nothing to execute; a crash does not begin the count
// anew.
TEST(plan_map_test, a_circle_that_executes_nothing_is_no_progress_at_once) {
  for (const bool with_crashes : {false, true}) {
    const auto flow = over_files(map_step("each", "/files", {"all"}), "[]", {map_step("all", "/files", {"each"})});
    stored_run stored{flow};
    auto progress = planned(flow, stored.rows());
    for (int i = 0; i < 2; ++i) {
      const auto closed = progress.close();
      ASSERT_FALSE(closed.end);
      progress.committed(closed);
      stored.committed(closed);
      if (with_crashes) {
        progress = planned(flow, stored.rows());
      }
    }
    const auto closed = progress.close();
    ASSERT_TRUE(closed.end);
    EXPECT_EQ(closed.end->why->code, error_code::no_progress);
    EXPECT_EQ(closed.end->failed_step, step_id{"all"});
    EXPECT_NE(closed.end->why->message.find("3 supersteps in a row"), std::string::npos) << closed.end->why->message;
  }
}

TEST(plan_map_test, a_loop_that_executes_something_goes_on) {
  const auto flow = over_files(map_step("each", "/files", {"all"}),
                               "[]",
                               {map_step("all", "/files", {"work"}), function_step("work", {"each"})});
  auto progress = planned(flow);
  for (int i = 0; i < 12; ++i) {
    const auto closed = superstep(progress, {});
    ASSERT_FALSE(closed.end) << i;
    progress.committed(closed);
  }
}

TEST(plan_map_test, what_is_no_list_fails_the_step) {
  const auto closed = planned(over_files(map_step("each", "/files"), "{}")).close();
  EXPECT_EQ(closed.end->why->code, error_code::invalid_input);
}

TEST(plan_map_test, one_element_that_fails_fails_the_step_and_is_named) {
  auto progress = planned(over_files(map_step("each", "/files"), "[1,2,3]"));
  const auto orders = progress.admit();
  progress.finished(orders[2].task.id, failed(error_code::task_timeout));
  progress.finished(orders[1].task.id, failed());
  progress.finished(orders[0].task.id, completed("0"));
  const auto closed = progress.close();
  EXPECT_EQ(closed.end->why->code, error_code::agent_exit);
  EXPECT_EQ(closed.end->why->message, "element 1: it failed") << "the first of the list, not of time";
}

TEST(plan_map_test, a_map_has_a_limit_of_its_own_within_that_of_the_run) {
  auto each = map_step("each", "/files");
  each.map->max_concurrent = 2;
  auto flow = over_files(each, "[1,2,3,4,5]");
  flow.limits.max_concurrent = 8;
  auto progress = planned(flow);
  auto orders = progress.admit();
  EXPECT_EQ(orders.size(), 2U);
  EXPECT_FALSE(progress.may_admit());
  progress.finished(orders[0].task.id, completed("0"));
  EXPECT_EQ(progress.admit().size(), 1U);
}

// The second element waits for the first, and the step behind it does not: it must not take the last place.
TEST(plan_map_test, whom_max_steps_lets_begin_is_the_same_at_any_concurrency) {
  auto each = map_step("each", "/files");
  each.map->max_concurrent = 1;
  for (const int max_concurrent : {1, 2, 8}) {
    auto flow = over_files(each, "[1,2]", {function_step("beside")});
    flow.start = step_id{"first"};
    flow.steps.push_back(function_step("first", {"each", "beside"}));
    flow.limits.max_steps = 3;
    flow.limits.max_concurrent = max_concurrent;
    auto progress = planned(flow);
    progress.committed(superstep(progress, {}));
    EXPECT_EQ(names(progress.admit()), "each/work") << max_concurrent;
    progress.finished(task_id{"r-1/2/each/work/0"}, completed("0"));
    EXPECT_EQ(names(progress.admit()), "each/work") << max_concurrent;
    progress.finished(task_id{"r-1/2/each/work/1"}, completed("0"));
    ASSERT_TRUE(progress.complete());
    EXPECT_EQ(progress.close().end->failed_step, step_id{"beside"});
  }
}

TEST(plan_map_test, two_elements_that_write_one_field_conflict_unless_it_has_a_reducer) {
  for (const bool declared : {false, true}) {
    auto flow = over_files(map_step("each", "/files"), "[1,2]");
    if (declared) {
      flow.state.push_back({field_name{"all"}, json_text{"[]"}, reducer::append, {}});
    }
    auto progress = planned(flow);
    const auto orders = progress.admit();
    progress.finished(orders[1].task.id, completed("1", {{field_name{"all"}, json_text{"1"}}}));
    progress.finished(orders[0].task.id, completed("0", {{field_name{"all"}, json_text{"0"}}}));
    const auto closed = progress.close();
    if (declared) {
      EXPECT_EQ(closed.state.str(), R"({"all":[0,1],"files":[1,2]})");
    } else {
      EXPECT_EQ(closed.end->why->code, error_code::merge_conflict);
    }
  }
}

TEST(plan_map_test, a_recovered_map_does_what_is_left) {
  const auto flow = over_files(map_step("each", "/files"), R"(["a","b","c"])");
  auto rows = fresh_rows(flow);
  rows.tasks[1].state = task_state::completed;
  rows.tasks[1].value = json_text{"1"};
  auto progress = planned(flow, rows);
  const auto orders = progress.admit();
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[1].item->str(), R"("c")");
}

TEST(plan_map_test, the_step_of_on_error_runs_instead_and_sees_the_error) {
  auto one = function_step("one", {"two"});
  one.on_error = step_id{"report"};
  auto report = function_step("report");
  report.prompt = "{{state.last_error.code}} of {{state.last_error.step}}";
  auto progress = planned(flow_of({one, function_step("two"), report}));
  const auto closed = superstep(progress, {{"one", failed()}});
  EXPECT_FALSE(closed.end);
  EXPECT_EQ(names(closed.next_front), "report");
  progress.committed(closed);
  EXPECT_EQ(progress.admit().at(0).prompt, "AGENT_EXIT of one");
}

TEST(plan_map_test, of_two_that_fail_one_without_on_error_ends_the_run) {
  auto one = function_step("one");
  one.on_error = step_id{"report"};
  auto progress =
      planned(flow_of({function_step("start", {"one", "two"}), one, function_step("two"), function_step("report")}));
  progress.committed(superstep(progress, {}));
  const auto closed = superstep(progress, {{"one", failed()}, {"two", failed(error_code::task_timeout)}});
  EXPECT_EQ(closed.end->why->code, error_code::task_timeout);
  EXPECT_EQ(closed.end->failed_step, step_id{"two"});
}

TEST(plan_map_test, what_nothing_can_follow_fails_with_what_is_done_kept) {
  auto one = function_step("one");
  condition never;
  never.pointer = "/one";
  never.value = json_text{"5"};
  one.next.push_back({step_id{"two"}, never, {}});
  auto progress = planned(flow_of({one, function_step("two")}));
  const auto closed = superstep(progress, {{"one", completed("4")}});
  EXPECT_EQ(closed.end->why->code, error_code::no_route);
  EXPECT_EQ(closed.end->failed_step, step_id{"one"});
  EXPECT_EQ(closed.state.str(), R"({"one":4})");
}

TEST(plan_map_test, a_join_that_lacks_somebody_is_no_progress_at_once) {
  auto merge = function_step("merge");
  merge.join = {step_id{"a"}, step_id{"b"}};
  auto a = function_step("a", {"merge"});
  auto progress = planned(flow_of({a, function_step("b"), merge}));
  const auto closed = superstep(progress, {});
  EXPECT_EQ(closed.end->why->code, error_code::no_progress);
  EXPECT_EQ(closed.end->failed_step, step_id{"merge"});
}

TEST(plan_map_test, a_join_waits_over_supersteps_and_over_a_recovery) {
  auto merge = function_step("merge");
  merge.join = {step_id{"quick"}, step_id{"slow"}};
  const auto flow = flow_of({function_step("start", {"quick", "long"}),
                             function_step("quick", {"merge"}),
                             function_step("long", {"slow"}),
                             function_step("slow", {"merge"}),
                             merge});
  auto progress = planned(flow);
  progress.committed(superstep(progress, {}));
  const auto second = superstep(progress, {});
  EXPECT_EQ(names(second.next_front), "slow");
  ASSERT_EQ(second.next.arrivals.size(), 1U);
  auto rows = fresh_rows(flow);
  rows.superstep = superstep_no{3};
  rows.run.result = second.state;
  rows.standing = second.next;
  rows.tasks = {row_of(second.next_front.at(0))};
  auto recovered = planned(flow, rows);
  const auto third = superstep(recovered, {});
  EXPECT_EQ(names(third.next_front), "merge");
  EXPECT_TRUE(third.next.arrivals.empty());
}

}  // namespace
}  // namespace troupe
