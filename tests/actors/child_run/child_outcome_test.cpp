#include "actors/child_run/child_outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::HasSubstr;

const run_id child_id{"r-c"};

run_view ended(run_state state) {
  run_view child;
  child.run = child_id;
  child.state = state;
  child.result = json_text{R"({"n":1})"};
  if (state == run_state::failed) {
    child.why = error{error_code::agent_exit, "status 3", "look"};
  }
  return child;
}

event told(event_kind kind, const std::string& data = "{}") {
  event fact;
  fact.kind = kind;
  fact.data = json_text{data};
  return fact;
}

TEST(child_outcome_test, a_completed_child_is_its_final_state) {
  const auto outcome = outcome_of(ended(run_state::completed), std::nullopt);
  EXPECT_EQ(outcome.state, task_state::completed);
  EXPECT_EQ(outcome.value->str(), R"({"n":1})");
  EXPECT_FALSE(outcome.why);
}

TEST(child_outcome_test, who_was_missing_in_it_is_not_hidden) {
  auto child = ended(run_state::completed);
  child.degraded = true;
  const auto outcome = outcome_of(child, std::nullopt);
  EXPECT_EQ(outcome.state, task_state::completed);
  ASSERT_TRUE(outcome.why);
  EXPECT_EQ(class_of(outcome.why->code), error_class::degraded);
  EXPECT_THAT(outcome.why->message, HasSubstr("r-c"));
}

TEST(child_outcome_test, a_failed_child_gives_its_error_and_is_named) {
  const auto outcome = outcome_of(ended(run_state::failed), std::nullopt);
  EXPECT_EQ(outcome.state, task_state::failed);
  EXPECT_EQ(outcome.why->code, error_code::agent_exit);
  EXPECT_EQ(outcome.why->message, "child run r-c failed: status 3");
  EXPECT_EQ(outcome.why->hint, "troupe show r-c");
}

TEST(child_outcome_test, a_child_that_somebody_cancelled_is_a_failure_of_its_step) {
  const auto outcome = outcome_of(ended(run_state::cancelled), std::nullopt);
  EXPECT_EQ(outcome.state, task_state::failed);
  EXPECT_EQ(outcome.why->code, error_code::cancelled);
}

TEST(child_outcome_test, one_that_was_cancelled_with_its_parent_is_cancelled_whatever_it_came_to) {
  for (const auto state : {run_state::completed, run_state::failed, run_state::cancelled}) {
    EXPECT_EQ(outcome_of(ended(state), stop_cause::cancelled).state, task_state::cancelled) << to_string(state);
  }
}

TEST(child_outcome_test, out_of_time_is_a_failure_unless_the_child_was_done) {
  EXPECT_EQ(outcome_of(ended(run_state::cancelled), stop_cause::timed_out).why->code, error_code::task_timeout);
  EXPECT_EQ(outcome_of(ended(run_state::failed), stop_cause::timed_out).why->code, error_code::task_timeout);
  EXPECT_EQ(outcome_of(ended(run_state::completed), stop_cause::timed_out).state, task_state::completed);
  EXPECT_EQ(outcome_of(ended(run_state::cancelled), stop_cause::too_late).why->code, error_code::task_timeout);
}

TEST(child_outcome_test, a_child_that_is_left_is_interrupted) {
  for (const bool waits : {false, true}) {
    EXPECT_EQ(left_child(child_id, waits).state, task_state::interrupted);
  }
  EXPECT_EQ(outcome_without_child(child_id, stop_cause::interrupted).state, task_state::interrupted);
}

TEST(child_outcome_test, the_newest_event_that_says_so_tells_how_it_stands) {
  const auto asked = told(event_kind::run_paused, R"({"cause":"approval"})");
  const auto stopped = told(event_kind::run_paused, R"({"cause":"operator"})");
  const auto quota = told(event_kind::run_paused, R"({"cause":"quota"})");
  const auto pressure = told(event_kind::backpressure_off);
  EXPECT_EQ(standing_after({asked, pressure}), child_standing::waiting_for_a_person);
  EXPECT_EQ(standing_after({asked, told(event_kind::run_resumed)}), child_standing::going_on);
  EXPECT_EQ(standing_after({asked, told(event_kind::gate_decided)}), child_standing::going_on);
  const auto vote = told(event_kind::gate_decided, R"({"state":"open"})");
  const auto decided = told(event_kind::gate_decided, R"({"state":"approved"})");
  EXPECT_EQ(standing_after({asked, vote}), child_standing::waiting_for_a_person) << "it was not enough";
  EXPECT_EQ(standing_after({asked, vote, decided}), child_standing::going_on);
  EXPECT_EQ(standing_after({told(event_kind::run_resumed), stopped}), child_standing::left);
  EXPECT_EQ(standing_after({quota}), child_standing::going_on) << "by itself";
  EXPECT_EQ(standing_after({pressure, told(event_kind::task_started)}), std::nullopt);
  EXPECT_EQ(standing_after({}), std::nullopt);
}

}  // namespace
}  // namespace troupe
