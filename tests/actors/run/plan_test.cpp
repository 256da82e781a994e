#include "actors/run/plan.hpp"

#include "actors/json/json.hpp"
#include "actors/run/order.hpp"
#include "messages/base/invariant.hpp"
#include "tests/actors/run/plan_material.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

TEST(first_rows_test, hold_the_state_and_the_front_that_a_run_begins_with) {
  auto flow = flow_of({agent_step("one", {"b", "a"})});
  flow.hash = "sha256:x";
  flow.source = "name = 1";
  flow.state.push_back({field_name{"f"}, json_text{"[]"}, reducer::append, {}});
  flow.state.push_back({field_name{"none"}, std::nullopt, reducer::last, {}});
  const auto rows = first_rows(flow, json_text{"{\"x\":1}"}, "", the_run);
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->subject, "flow");
  EXPECT_EQ(rows->workflow_hash, "sha256:x");
  EXPECT_EQ(rows->workflow_source, "name = 1");
  EXPECT_EQ(rows->inputs.str(), "{\"x\":1}");
  EXPECT_EQ(rows->initial_state.str(), "{\"f\":[]}");
  EXPECT_EQ(rows->state_hash, state_hash(rows->initial_state));
  ASSERT_EQ(rows->front.size(), 2U);
  EXPECT_EQ(rows->front[0].id.str(), "r-1/1/one/b");  // in the order of the file
  EXPECT_EQ(rows->front[1].order, 1);
}

TEST(first_rows_test, a_start_that_is_not_there_is_refused) {
  auto flow = flow_of({function_step("one")});
  flow.start = step_id{"two"};
  const auto rows = first_rows(flow, json_text{"{}"}, "", the_run);
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().code, error_code::invalid_workflow);
}

// Invariant 1.
TEST(plan_test, invariant_1_admits_in_graph_order_and_never_more_than_max_concurrent) {
  auto flow = flow_of({agent_step("one", {"c", "a", "b"})});
  flow.limits.max_concurrent = 2;
  auto progress = planned(flow);
  const auto first = progress.admit();
  EXPECT_EQ(names(first), "one/c one/a");
  EXPECT_EQ(progress.running(), 2);
  EXPECT_EQ(names(progress.admit()), "");
  progress.finished(first[1].task.id, completed("1"));
  EXPECT_EQ(names(progress.admit()), "one/b");
  EXPECT_EQ(names(progress.admit()), "");
}

TEST(plan_test, invariant_1_max_steps_is_exact) {
  for (int max_concurrent : {1, 2, 8}) {
    auto flow =
        flow_of({function_step("one", {"two", "three"}), agent_step("two", {"a", "b"}), function_step("three")});
    flow.limits.max_concurrent = max_concurrent;
    for (std::int64_t max_steps = 1; max_steps <= 4; ++max_steps) {
      flow.limits.max_steps = max_steps;
      auto progress = planned(flow);
      std::int64_t executed = 0;
      std::optional<run_end> end;
      while (!end) {
        while (!progress.complete()) {
          for (const auto& order : progress.admit()) {
            ++executed;
            progress.finished(order.task.id, completed("0"));
          }
        }
        const auto closed = progress.close();
        progress.committed(closed);
        end = closed.end;
      }
      EXPECT_EQ(executed, max_steps);
      EXPECT_EQ(end->state, max_steps == 4 ? run_state::completed : run_state::failed);
      if (max_steps < 4) {
        EXPECT_EQ(end->why->code, error_code::max_steps_exceeded);
        EXPECT_EQ(end->failed_step, step_id{max_steps == 3 ? "three" : "two"});
      }
    }
  }
}

TEST(plan_test, a_loop_runs_until_max_steps) {
  auto flow = flow_of({function_step("one", {"one"})});
  flow.limits.max_steps = 5;
  auto progress = planned(flow);
  for (int i = 1; i <= 5; ++i) {
    const auto closed = superstep(progress, {});
    ASSERT_FALSE(closed.end.has_value()) << i;
    EXPECT_EQ(closed.superstep, superstep_no{i});
    EXPECT_EQ(closed.next_front.at(0).id.str(), "r-1/" + std::to_string(i + 1) + "/one/work");
    progress.committed(closed);
  }
  EXPECT_TRUE(progress.complete());
  EXPECT_TRUE(progress.admit().empty());
  EXPECT_EQ(progress.close().end->why->code, error_code::max_steps_exceeded);
}

// Invariant 2.
TEST(plan_test, invariant_2_a_superstep_is_closed_when_each_task_is_final_and_not_before) {
  const auto flow = flow_of({agent_step("one", {"a", "b"})});
  auto progress = planned(flow);
  EXPECT_FALSE(progress.complete());
  const auto orders = progress.admit();
  EXPECT_FALSE(progress.complete());
  EXPECT_THROW(static_cast<void>(progress.close()), bug);
  progress.finished(orders[0].task.id, completed("1"));
  EXPECT_FALSE(progress.complete());
  progress.finished(orders[1].task.id, interrupted());
  EXPECT_FALSE(progress.complete());
  EXPECT_THROW(static_cast<void>(progress.close()), bug);
  const auto again = progress.admit();
  ASSERT_EQ(names(again), "one/b");
  EXPECT_EQ(again[0].attempt, attempt_no{2});
  progress.finished(again[0].task.id, failed());
  EXPECT_TRUE(progress.complete());
}

// Rows are read by a recovery, by a replay, and where an actor died between a commit and the word of it: all the same.
TEST(plan_test, the_outcome_in_a_row_is_whole) {
  task_view row;
  row.state = task_state::completed;
  row.value = json_text{"1"};
  row.deltas = {{field_name{"x"}, json_text{"2"}}};
  row.route = std::vector<step_id>{step_id{"elsewhere"}};
  const auto outcome = outcome_of(row);
  EXPECT_EQ(outcome.state, task_state::completed);
  EXPECT_EQ(outcome.value, row.value);
  EXPECT_EQ(outcome.deltas.size(), 1U);
  EXPECT_EQ(outcome.route, row.route);
  EXPECT_FALSE(outcome.retry);
  row.state = task_state::retrying;
  row.retry_at = timestamp{std::chrono::seconds{9}};
  ASSERT_TRUE(outcome_of(row).retry);
  EXPECT_EQ(outcome_of(row).retry->due, row.retry_at);
}

TEST(plan_test, the_first_outcome_of_a_task_stands) {
  const auto flow = flow_of({function_step("one")});
  auto progress = planned(flow);
  const auto task = progress.admit()[0].task.id;
  progress.finished(task, completed("1"));
  progress.finished(task, completed("2"));
  progress.finished(task, interrupted());
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.close().state.str(), "{\"one\":1}");
  EXPECT_THROW(progress.finished(task_id{"r-1/9/one/work"}, completed("1")), bug);
}

// Invariant 3, by plain calls; by seeds below.
TEST(plan_test, invariant_3_the_order_of_outcomes_changes_nothing) {
  auto flow = flow_of({agent_step("one", {"a", "b", "c"})});
  flow.steps[0].consensus = consensus_policy{};
  const std::vector<task_outcome> outcomes{completed("1"), failed(), completed("3")};
  std::set<std::string> commits;
  std::vector<std::size_t> arrival{0, 1, 2};
  do {
    auto progress = planned(flow);
    const auto orders = progress.admit();
    for (const auto i : arrival) {
      progress.finished(orders[i].task.id, outcomes[i]);
    }
    commits.insert(text(progress.close()));
  } while (std::ranges::next_permutation(arrival).found);
  EXPECT_EQ(commits.size(), 1U);
}

// Invariant 4.
TEST(plan_test, invariant_4_tasks_see_the_state_of_the_superstep_before) {
  auto flow = flow_of({function_step("one", {"two"}), agent_step("two", {"a", "b"})});
  flow.limits.max_concurrent = 1;
  flow.steps[1].prompt = "{{state.one}}";
  auto progress = planned(flow);
  auto orders = progress.admit();
  EXPECT_EQ(orders[0].state->str(), "{}");
  progress.finished(orders[0].task.id, completed("\"x\""));
  progress.committed(progress.close());
  orders = progress.admit();
  EXPECT_EQ(orders[0].state->str(), "{\"one\":\"x\"}");
  EXPECT_EQ(orders[0].prompt, "x");
  progress.finished(orders[0].task.id, completed("2"));
  EXPECT_EQ(progress.admit()[0].state->str(), "{\"one\":\"x\"}");
}

TEST(plan_test, an_order_holds_what_an_attempt_needs) {
  auto flow = flow_of({agent_step("one", {"a"}, {"two"}), function_step("two")});
  flow.steps[0].timeout = 7s;
  flow.steps[0].prompt = "{{inputs.x}} {{run.id}} {{run.subject}} {{step.id}}";
  auto progress = planned(flow, fresh_rows(flow, json_text{"{\"x\":1}"}));
  auto order = progress.admit()[0];
  EXPECT_EQ(order.run, the_run);
  EXPECT_EQ(order.subject, "river");
  EXPECT_EQ(order.attempt, attempt_no{1});
  EXPECT_EQ(order.spec.kind, agent_kind::command);
  EXPECT_EQ(order.spec.command, std::vector<std::string>{"a"});
  EXPECT_EQ(order.prompt, "1 r-1 river one");
  EXPECT_EQ(order.inputs->str(), "{\"x\":1}");
  EXPECT_EQ(order.limits.timeout, 7s);
  EXPECT_EQ(order.limits.kill_grace, 1s);
  EXPECT_EQ(order.limits.drain_grace, 3s);
  EXPECT_EQ(order.seed, task_seed(the_run, order.task.id, attempt_no{1}));
  EXPECT_EQ(order.refused, std::nullopt);
  progress.finished(order.task.id, completed("1"));
  progress.committed(progress.close());
  order = progress.admit()[0];
  EXPECT_EQ(order.spec.kind, agent_kind::function);
  EXPECT_TRUE(order.call != nullptr);
  EXPECT_EQ(order.args.str(), "{\"x\":1}");
  EXPECT_EQ(order.limits.timeout, std::nullopt);
}

// It cannot use more than it asks for, and may use all of that.
TEST(plan_test, an_agent_that_names_max_tokens_is_expected_to_use_them) {
  auto with = std::make_shared<executors>(*known_executors());
  with->agents[agent_name{"b"}].max_tokens = 4'096;
  auto flow = flow_of({agent_step("one", {"a", "b"})});
  flow.steps[0].prompt = "12345678";
  auto progress = *plan::restore(std::make_shared<const workflow>(flow), fresh_rows(flow), with);
  const auto orders = progress.admit();
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].estimate.input, 2);
  EXPECT_EQ(orders[0].estimate.output, 1'000);
  EXPECT_EQ(orders[1].estimate.input, 2);
  EXPECT_EQ(orders[1].estimate.output, 4'096);
}

TEST(plan_test, an_order_says_what_is_left_of_the_budget) {
  auto flow = flow_of({agent_step("one", {"a"}, {"two"}), agent_step("two", {"a"})});
  auto rows = fresh_rows(flow);
  rows.budget = {100, 1'000, 60s};
  rows.run.cost_microusd = 10;
  rows.run.input_tokens = 200;
  rows.run.output_tokens = 100;
  rows.run.attempt_time = 15s;
  auto progress = planned(flow, rows);
  const auto first = progress.admit();
  EXPECT_EQ(first[0].budget, (budget_limits{90, 700, 45s}));
  auto outcome = completed("1");
  outcome.cost = attempt_cost{"m", 400, 50, 30, cost_source::reported};
  outcome.took = 20s;
  progress.finished(first[0].task.id, outcome, std::nullopt);
  progress.committed(progress.close());
  const auto second = progress.admit();
  EXPECT_EQ(second[0].budget, (budget_limits{60, 250, 25s}));
  rows.run.cost_microusd = 101;
  rows.run.input_tokens = 5'000;
  rows.run.attempt_time = 61s;
  EXPECT_EQ(planned(flow, rows).admit()[0].budget, (budget_limits{0, 0, 0s})) << "never less than nothing";
}

TEST(plan_test, what_cannot_be_carried_out_is_refused_in_its_order) {
  auto flow = flow_of({agent_step("one", {"a", "nobody"})});
  flow.steps[0].prompt = "{{state.gone}}";
  auto progress = planned(flow);
  const auto orders = progress.admit();
  EXPECT_EQ(orders[0].refused->code, error_code::invalid_input);
  EXPECT_EQ(orders[1].refused->code, error_code::not_found);
  EXPECT_NE(orders[1].refused->message.find("'nobody'"), std::string::npos);

  auto functions = flow_of({function_step("one")});
  functions.steps[0].function->name = "gone";
  const auto order = planned(functions).admit()[0];
  EXPECT_EQ(order.refused->code, error_code::not_found);
  EXPECT_NE(order.refused->message.find("'gone'"), std::string::npos);
  EXPECT_TRUE(order.call == nullptr);
}

TEST(plan_test, steps_follow_in_graph_order_and_one_reached_twice_runs_once) {
  const auto flow = flow_of({function_step("one", {"three", "two"}),
                             function_step("two", {"end", "four"}),
                             function_step("three", {"four", "end", "three"}),
                             function_step("four"),
                             function_step("end")});
  auto progress = planned(flow);
  auto closed = superstep(progress, {});
  EXPECT_EQ(names(closed.next_front), "three two");
  progress.committed(closed);
  closed = superstep(progress, {});
  EXPECT_EQ(names(closed.next_front), "four end three");
  EXPECT_EQ(closed.next_front[2].order, 2);
}

TEST(plan_test, a_chain_of_100_sees_each_step_before_it) {
  std::vector<step> steps;
  for (int i = 0; i < 100; ++i) {
    steps.push_back(function_step("s" + std::to_string(i),
                                  i < 99 ? std::vector{"s" + std::to_string(i + 1)} : std::vector<std::string>{}));
    steps.back().output = field_name{"k"};
  }
  auto progress = planned(flow_of(std::move(steps)));
  for (int i = 0; i < 100; ++i) {
    const auto order = progress.admit().at(0);
    EXPECT_EQ(order.state->str(), i == 0 ? "{}" : "{\"k\":" + std::to_string(i - 1) + '}');
    progress.finished(order.task.id, completed(std::to_string(i)));
    const auto closed = progress.close();
    EXPECT_EQ(closed.end.has_value(), i == 99);
    progress.committed(closed);
  }
}

TEST(plan_test, a_result_goes_to_the_output_field_unless_deltas_take_its_place) {
  auto flow =
      flow_of({function_step("one", {"two"}), function_step("two", {"three"}), agent_step("three", {"a", "b"})});
  flow.steps[0].output = field_name{"f"};
  flow.state.push_back({field_name{"g"}, json_text{"1"}, reducer::sum, {}});
  auto progress = planned(flow);
  auto closed = superstep(progress, {{"one", completed("5")}});
  EXPECT_EQ(closed.deltas.str(), R"([["one","work","f",5]])");
  EXPECT_EQ(closed.state.str(), R"({"f":5,"g":1})");
  progress.committed(closed);
  closed = superstep(progress,
                     {{"two", completed("9", {{field_name{"g"}, json_text{"2"}}, {field_name{"g"}, json_text{"3"}}})}});
  EXPECT_EQ(closed.deltas.str(), R"([["two","work","g",2],["two","work","g",3]])");
  EXPECT_EQ(closed.state.str(), R"({"f":5,"g":6})");
  EXPECT_EQ(closed.state_hash, state_hash(closed.state));
  EXPECT_EQ(closed.idempotency_key,
            superstep_key(the_run, superstep_no{2}, std::vector<std::string>{"two/work"}, closed.state));
  progress.committed(closed);
  closed = superstep(progress, {});
  EXPECT_EQ(closed.deltas.str(), R"([["three","","three",{"a":0,"b":0}]])");
  EXPECT_EQ(closed.verdicts.at(0).answers.at(1).model, "model of b");
  EXPECT_EQ(closed.end->state, run_state::completed);
  EXPECT_FALSE(closed.end->degraded);
}

TEST(plan_test, a_step_that_fails_ends_the_run_with_its_own_error) {
  const auto flow = flow_of({function_step("one", {"two", "three"}), agent_step("two", {"a"}), function_step("three")});
  auto progress = planned(flow);
  progress.committed(superstep(progress, {{"one", completed("1")}}));
  const auto closed = superstep(progress, {{"two", failed(error_code::agent_signal)}, {"three", failed()}});
  EXPECT_EQ(closed.end->state, run_state::failed);
  EXPECT_EQ(closed.end->why->code, error_code::agent_signal);  // of the first in graph order
  EXPECT_EQ(closed.end->failed_step, step_id{"two"});
  EXPECT_EQ(closed.state.str(), "{\"one\":1}");
  EXPECT_EQ(closed.deltas.str(), "[]");
  EXPECT_TRUE(closed.next_front.empty());
  EXPECT_EQ(closed.verdicts.size(), 2U);
}

TEST(plan_test, one_failure_of_several_agents_degrades_the_run_to_its_end) {
  const auto flow =
      flow_of({agent_step("one", {"a", "b", "c"}, {"two"}), function_step("two", {"three"}), function_step("three")});
  for (const bool fails : {false, true}) {
    auto progress = planned(flow);
    auto closed = superstep(progress, {{"one/b", failed()}});
    EXPECT_EQ(closed.verdicts.at(0).reached.status, verdict_status::degraded);
    EXPECT_EQ(closed.state.str(), R"({"one":{"a":0,"c":0}})");
    progress.committed(closed);
    progress.committed(superstep(progress, {}));
    closed = superstep(progress, {{"three", fails ? failed() : completed("1")}});
    EXPECT_TRUE(closed.end->degraded);
    EXPECT_EQ(closed.end->state, fails ? run_state::failed : run_state::completed);
  }
}

TEST(plan_test, a_run_that_fails_beside_a_degraded_step_says_so) {
  const auto flow =
      flow_of({function_step("zero", {"one", "two"}), agent_step("one", {"a", "b", "c"}), function_step("two")});
  auto progress = planned(flow);
  progress.committed(superstep(progress, {}));
  const auto closed = superstep(progress, {{"one/b", failed()}, {"two", failed()}});
  EXPECT_EQ(closed.end->failed_step, step_id{"two"});
  EXPECT_TRUE(closed.end->degraded);
}

TEST(plan_test, too_few_answers_and_ties_end_the_run) {
  auto flow = flow_of({agent_step("one", {"a", "b", "c"})});
  auto progress = planned(flow);
  EXPECT_EQ(superstep(progress, {{"one/b", failed()}, {"one/c", failed()}}).end->why->code, error_code::quorum_not_met);
  flow.steps[0].consensus = consensus_policy{};
  flow.steps[0].consensus->strategy = consensus_strategy::vote;
  progress = planned(flow);
  const auto tie =
      superstep(progress, {{"one/a", completed("1")}, {"one/b", completed("2")}, {"one/c", completed("3")}});
  EXPECT_EQ(tie.end->why->code, error_code::consensus_conflict);
  EXPECT_EQ(tie.verdicts.at(0).answers.size(), 3U);
  EXPECT_EQ(tie.state.str(), "{}");
}

TEST(plan_test, a_merge_conflict_ends_the_run_and_commits_nothing_of_the_deltas) {
  auto flow = flow_of({function_step("zero", {"one", "two", "three"}),
                       function_step("one"),
                       function_step("two"),
                       function_step("three")});
  flow.steps[1].output = field_name{"f"};
  flow.steps[2].output = field_name{"f"};
  auto progress = planned(flow);
  progress.committed(superstep(progress, {}));
  const auto closed = superstep(progress, {});
  EXPECT_EQ(closed.end->state, run_state::failed);
  EXPECT_EQ(closed.end->why->code, error_code::merge_conflict);
  EXPECT_EQ(closed.end->failed_step, step_id{"two"});  // not the last one
  EXPECT_EQ(closed.state.str(), "{\"zero\":0}");
  EXPECT_EQ(closed.state_hash, state_hash(closed.state));
  EXPECT_EQ(closed.deltas.str(), "[]");
  EXPECT_EQ(closed.verdicts.size(), 3U);  // what the agents said is kept
}

TEST(plan_test, a_value_that_does_not_suit_its_reducer_ends_the_run) {
  auto flow = flow_of({function_step("one")});
  flow.state.push_back({field_name{"one"}, json_text{"0"}, reducer::sum, {}});
  auto progress = planned(flow);
  const auto closed = superstep(progress, {{"one", completed("\"x\"")}});
  EXPECT_EQ(closed.end->why->code, error_code::invalid_input);
  EXPECT_EQ(closed.state.str(), "{\"one\":0}");
}

// The deepest answer that is read, in a list, in a state: the next superstep reads it again.
TEST(plan_test, the_deepest_answer_is_carried_on) {
  auto flow = flow_of({agent_step("one", {"a", "b"}, {"one"})});
  flow.state.push_back({field_name{"one"}, json_text{"[]"}, reducer::append, {}});
  auto progress = planned(flow);
  const auto deepest = std::string(json_depth_max, '[') + std::string(json_depth_max, ']');
  for (int i = 0; i < 3; ++i) {
    const auto closed = superstep(progress, {{"one", completed(deepest)}});
    ASSERT_FALSE(closed.end.has_value());
    progress.committed(closed);
  }
}

TEST(plan_test, a_recovered_plan_keeps_final_tasks_and_does_the_others) {
  auto flow = flow_of({agent_step("one", {"a", "b", "c"})});
  flow.limits.max_steps = 3;
  auto rows = fresh_rows(flow);
  rows.run.steps = 2;
  rows.run.degraded = true;
  rows.tasks[0].state = task_state::completed;
  rows.tasks[0].attempt = attempt_no{1};
  rows.tasks[0].value = json_text{"7"};
  rows.tasks[1].state = task_state::interrupted;
  rows.tasks[1].attempt = attempt_no{2};
  auto progress = planned(flow, rows);
  EXPECT_EQ(progress.running(), 0);
  const auto orders = progress.admit();
  ASSERT_EQ(names(orders), "one/b one/c");  // the interrupted one is no new execution: max_steps lets both begin
  EXPECT_EQ(orders[0].attempt, attempt_no{3});
  EXPECT_EQ(orders[1].attempt, attempt_no{1});
  progress.finished(rows.tasks[0].task, failed());  // final already
  progress.finished(orders[0].task.id, completed("8"));
  progress.finished(orders[1].task.id, completed("9"));
  const auto closed = progress.close();
  EXPECT_EQ(closed.state.str(), R"({"one":{"a":7,"b":8,"c":9}})");
  EXPECT_TRUE(closed.end->degraded);
}

TEST(plan_test, a_recovered_plan_whose_tasks_are_all_final_is_complete) {
  const auto flow = flow_of({function_step("one")});
  auto rows = fresh_rows(flow);
  rows.tasks[0].state = task_state::completed;
  rows.tasks[0].value = json_text{"null"};
  rows.tasks[0].deltas = {{field_name{"f"}, json_text{"1"}}};
  auto progress = planned(flow, rows);
  EXPECT_TRUE(progress.complete());
  EXPECT_TRUE(progress.admit().empty());
  EXPECT_EQ(progress.close().state.str(), "{\"f\":1}");
  rows.tasks[0] = row_of(first_rows(flow, json_text{"{}"}, "", the_run)->front[0]);
  rows.tasks[0].state = task_state::cancelled;
  rows.tasks[0].why = error{error_code::cancelled, "stopped", ""};
  EXPECT_EQ(planned(flow, rows).close().end->why->code, error_code::cancelled);
}

TEST(plan_test, rows_that_contradict_the_workflow_are_refused) {
  const auto flow = flow_of({function_step("one")});
  auto rows = fresh_rows(flow);
  rows.tasks[0].step = step_id{"two"};
  const auto refused = plan::restore(std::make_shared<const workflow>(flow), rows, known_executors());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, error_code::internal);
}

}  // namespace
}  // namespace troupe
