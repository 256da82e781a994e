// Child runs as the plan sees them: what they are started with, and what their ends come to.
#include "actors/run/child_inputs.hpp"
#include "tests/actors/run/plan_material.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace troupe {
namespace {

using testing::HasSubstr;

workflow child_flow() {
  auto flow = flow_of({function_step("work")});
  flow.name = "child";
  flow.inputs.push_back({"file", true, std::nullopt, {}});
  flow.inputs.push_back({"topic", false, json_text{R"("none")"}, {}});
  return flow;
}

workflow parent_flow(const std::string& files = "[1,2]") {
  step each;
  each.id = step_id{"each"};
  each.output = field_name{"each"};
  each.map = map_policy{"/files", "file", {}, {}, "child.toml", std::make_shared<const workflow>(child_flow()), 0};
  auto flow = flow_of({each});
  flow.state.push_back({field_name{"files"}, json_text{files}, reducer::last, {}});
  return flow;
}

json_text inputs_of(const std::string& item, const std::string& inputs) {
  auto made = child_inputs(child_flow(), "file", json_text{item}, json_text{inputs});
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return made ? *made : json_text{};
}

TEST(child_inputs_test, the_element_and_what_the_child_declares_of_its_parents) {
  EXPECT_EQ(inputs_of(R"({"name":"a"})", R"({"other":1,"topic":"locks"})").str(),
            R"({"file":{"name":"a"},"topic":"locks"})");
}

TEST(child_inputs_test, a_default_where_the_parent_has_none) {
  EXPECT_EQ(inputs_of("null", "{}").str(), R"({"file":null,"topic":"none"})");
}

TEST(child_inputs_test, the_element_goes_before_an_input_of_the_same_name) {
  EXPECT_EQ(inputs_of("1", R"({"file":2})").str(), R"({"file":1,"topic":"none"})");
}

TEST(child_inputs_test, an_element_that_the_child_does_not_declare_is_refused) {
  const auto made = child_inputs(child_flow(), "fiel", json_text{"1"}, json_text{R"({"file":2})"});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, error_code::invalid_input);
  EXPECT_THAT(made.error().message, HasSubstr("'fiel'"));
}

TEST(child_inputs_test, a_required_input_that_nobody_has_is_refused) {
  auto child = child_flow();
  child.inputs.push_back({"branch", true, std::nullopt, {}});
  const auto made = child_inputs(child, "file", json_text{"1"}, json_text{"{}"});
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message, HasSubstr("'branch'"));
}

TEST(plan_child_test, an_order_has_the_childs_workflow_its_inputs_and_the_runs_deadline) {
  const auto flow = parent_flow(R"([{"name":"a"},7])");
  auto rows = fresh_rows(flow, json_text{R"({"topic":"locks"})"});
  rows.deadline = timestamp{std::chrono::seconds{100}};
  auto progress = planned(flow, rows);
  const auto orders = progress.admit();
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].spec.kind, agent_kind::workflow);
  EXPECT_EQ(orders[0].task.id.str(), "r-1/1/each/child/0");
  EXPECT_EQ(orders[0].child->name, "child");
  EXPECT_EQ(orders[0].inputs->str(), R"({"file":{"name":"a"},"topic":"locks"})");
  EXPECT_EQ(orders[1].inputs->str(), R"({"file":7,"topic":"locks"})");
  EXPECT_EQ(orders[0].deadline, rows.deadline);
  EXPECT_FALSE(orders[0].refused);
}

TEST(plan_child_test, a_child_is_tried_again_as_a_whole_only_where_its_step_says_so) {
  auto flow = parent_flow();
  EXPECT_EQ(planned(flow).admit()[0].retry.max_attempts, 1);
  flow.steps[0].retry = retry_policy{};
  flow.steps[0].retry->max_attempts = 4;
  EXPECT_EQ(planned(flow).admit()[0].retry.max_attempts, 4);
}

TEST(plan_child_test, inputs_that_do_not_fit_are_an_attempt_that_begins_nothing) {
  auto flow = parent_flow();
  flow.steps[0].map->as = "fiel";
  const auto orders = planned(flow).admit();
  ASSERT_TRUE(orders[0].refused);
  EXPECT_EQ(orders[0].refused->code, error_code::invalid_input);
}

TEST(plan_child_test, somebody_missing_in_a_child_is_somebody_missing_in_the_parent) {
  auto progress = planned(parent_flow());
  const auto orders = progress.admit();
  auto degraded = completed(R"({"work":1})");
  degraded.why = error{error_code::quorum_not_met, "child run r-c is degraded", ""};
  progress.finished(orders[1].task.id, degraded);
  progress.finished(orders[0].task.id, completed(R"({"work":0})"));
  const auto closed = progress.close();
  EXPECT_EQ(closed.state.str(), R"({"each":[{"work":0},{"work":1}],"files":[1,2]})");
  EXPECT_EQ(closed.verdicts[0].reached.status, verdict_status::degraded);
  ASSERT_EQ(closed.verdicts[0].reached.missing.size(), 1U);
  EXPECT_EQ(closed.end->state, run_state::completed);
  EXPECT_TRUE(closed.end->degraded);
}

TEST(plan_child_test, it_is_not_forgotten_in_a_recovery) {
  const auto flow = parent_flow();
  auto rows = fresh_rows(flow);
  for (auto& task : rows.tasks) {
    task.state = task_state::completed;
    task.value = json_text{"{}"};
  }
  rows.tasks[0].why = error{error_code::quorum_not_met, "child run r-c is degraded", ""};
  EXPECT_TRUE(planned(flow, rows).close().end->degraded);
}

TEST(plan_child_test, a_child_that_was_left_goes_on_whatever_on_crash_says) {
  for (const auto policy : {crash_policy::ask, crash_policy::fail, crash_policy::retry}) {
    auto flow = parent_flow();
    flow.steps[0].on_crash = policy;
    auto progress = planned(flow);
    const auto orders = progress.admit();
    progress.finished(orders[0].task.id, interrupted());
    EXPECT_TRUE(progress.take_questions().empty());
    const auto again = progress.admit();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].attempt.value(), 2);
    EXPECT_EQ(again[0].failures, 0);
  }
}

TEST(plan_child_test, one_that_waits_for_a_person_waits_alone) {
  auto progress = planned(parent_flow());
  const auto orders = progress.admit();
  progress.finished(orders[0].task.id, interrupted());
  progress.blocked(orders[0].task.id);
  EXPECT_FALSE(progress.waiting()) << "the other is at work";
  EXPECT_TRUE(progress.admit().empty());
  progress.finished(orders[1].task.id, completed("{}"));
  EXPECT_TRUE(progress.waiting());
  EXPECT_FALSE(progress.complete());
  progress.due(orders[0].task.id);
  EXPECT_TRUE(progress.waiting()) << "that is not what it waits for";
  progress.unblocked(orders[0].task.id);
  EXPECT_FALSE(progress.waiting());
  EXPECT_EQ(progress.admit().size(), 1U);
}

}  // namespace
}  // namespace troupe
