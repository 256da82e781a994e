#include "messages/consensus.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"
#include "messages/workflow.hpp"
#include "messages/writes.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr int run_states = 6;
constexpr int task_states = 9;

TEST(run_state_test, names_are_unique_and_read_back) {
  std::set<std::string_view> names;
  for (int i = 0; i < run_states; ++i) {
    const auto state = static_cast<run_state>(i);
    EXPECT_TRUE(names.insert(to_string(state)).second);
    EXPECT_EQ(run_state_from(to_string(state)), state);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"pending", "running", "paused", "completed", "failed", "cancelled"}));
  EXPECT_EQ(run_state_from("Running"), std::nullopt);
  EXPECT_EQ(run_state_from(""), std::nullopt);
}

TEST(task_state_test, names_are_unique_and_read_back) {
  std::set<std::string_view> names;
  for (int i = 0; i < task_states; ++i) {
    const auto state = static_cast<task_state>(i);
    EXPECT_TRUE(names.insert(to_string(state)).second);
    EXPECT_EQ(task_state_from(to_string(state)), state);
  }
  EXPECT_EQ(names,
            (std::set<std::string_view>{"pending",
                                        "queued",
                                        "running",
                                        "validating",
                                        "completed",
                                        "failed",
                                        "retrying",
                                        "cancelled",
                                        "interrupted"}));
  EXPECT_EQ(task_state_from("paused"), std::nullopt);
}

TEST(run_state_test, only_the_moves_of_the_table_are_legal) {
  using enum run_state;
  const std::set<std::pair<run_state, run_state>> legal{
      {pending, running},
      {pending, cancelled},
      {running, paused},
      {running, completed},
      {running, failed},
      {running, cancelled},
      {paused, running},
      {paused, failed},
      {paused, cancelled},
  };
  for (int from = 0; from < run_states; ++from) {
    for (int to = 0; to < run_states; ++to) {
      const std::pair move{static_cast<run_state>(from), static_cast<run_state>(to)};
      EXPECT_EQ(is_legal_move(move.first, move.second), legal.contains(move))
          << to_string(move.first) << " to " << to_string(move.second);
    }
  }
}

TEST(task_state_test, only_the_moves_of_the_table_are_legal) {
  using enum task_state;
  const std::set<std::pair<task_state, task_state>> legal{
      {pending, queued},       {pending, cancelled},     {queued, running},         {queued, failed},
      {queued, cancelled},     {running, validating},    {running, completed},      {running, failed},
      {running, interrupted},  {running, cancelled},     {validating, completed},   {validating, failed},
      {validating, cancelled}, {failed, retrying},       {retrying, queued},        {retrying, cancelled},
      {interrupted, queued},   {interrupted, cancelled}, {validating, interrupted},
  };
  for (int from = 0; from < task_states; ++from) {
    for (int to = 0; to < task_states; ++to) {
      const std::pair move{static_cast<task_state>(from), static_cast<task_state>(to)};
      EXPECT_EQ(is_legal_move(move.first, move.second), legal.contains(move))
          << to_string(move.first) << " to " << to_string(move.second);
    }
  }
}

TEST(run_state_test, final_states_absorb) {
  for (int from = 0; from < run_states; ++from) {
    int moves = 0;
    for (int to = 0; to < run_states; ++to) {
      moves += is_legal_move(static_cast<run_state>(from), static_cast<run_state>(to)) ? 1 : 0;
    }
    EXPECT_EQ(moves == 0, is_final(static_cast<run_state>(from)));
  }
}

TEST(event_test, kinds_have_the_names_of_the_contract) {
  const std::vector<std::string_view> contract{
      "run.started",    "run.paused",       "run.resumed",         "run.completed",    "run.failed",
      "run.cancelled",  "task.queued",      "superstep.committed", "task.started",     "task.retrying",
      "task.completed", "task.failed",      "task.cancelled",      "task.interrupted", "consensus.reached",
      "gate.opened",    "gate.decided",     "backpressure.on",     "backpressure.off", "budget.warned",
      "cost.recorded",  "checkpoint.saved", "config.reloaded"};
  EXPECT_EQ(contract.size(), static_cast<std::size_t>(event_kind::config_reloaded) + 1);
  std::set<event_kind> kinds;
  for (const auto name : contract) {
    const auto kind = event_kind_from(name);
    ASSERT_TRUE(kind.has_value()) << name;
    EXPECT_EQ(to_string(*kind), name);
    kinds.insert(*kind);
  }
  EXPECT_EQ(kinds.size(), contract.size());
  EXPECT_EQ(event_kind_from("task.progress"), std::nullopt);  // never stored
  EXPECT_EQ(event_kind_from("run_started"), std::nullopt);
}

TEST(event_test, exactly_three_kinds_end_a_run) {
  std::set<std::string_view> ending;
  for (int i = 0; i <= static_cast<int>(event_kind::config_reloaded); ++i) {
    if (ends_run(static_cast<event_kind>(i))) {
      ending.insert(to_string(static_cast<event_kind>(i)));
    }
  }
  EXPECT_EQ(ending, (std::set<std::string_view>{"run.completed", "run.failed", "run.cancelled"}));
}

TEST(consensus_words_test, verdicts_have_names) {
  EXPECT_EQ(to_string(verdict_status::ok), "ok");
  EXPECT_EQ(to_string(verdict_status::degraded), "degraded");
  EXPECT_EQ(to_string(verdict_status::conflict), "conflict");
  EXPECT_EQ(to_string(verdict_status::insufficient), "insufficient");
}

template <class Command>
write_command of_run(const char* id) {
  Command told;
  told.run = run_id{id};
  return told;
}

// Stored in write_keys.kind: a name here that changes makes a repeat look new.
TEST(writes_test, commands_have_names_and_know_their_run) {
  const std::vector<std::pair<write_command, std::string_view>> table{
      {of_run<create_run>("a"), "create_run"},
      {of_run<start_attempt>("b"), "start_attempt"},
      {of_run<record_output>("c"), "record_output"},
      {of_run<finish_attempt>("d"), "finish_attempt"},
      {of_run<commit_superstep>("e"), "commit_superstep"},
      {of_run<end_run>("f"), "end_run"},
      {of_run<resume_run>("g"), "resume_run"},
      {of_run<open_gate>("h"), "open_gate"},
      {of_run<decide_gate>("i"), "decide_gate"},
      {of_run<expire_gate>("j"), "expire_gate"},
      {of_run<reserve_budget>("k"), "reserve_budget"},
  };
  EXPECT_EQ(table.size(), std::variant_size_v<write_command>);
  std::string runs;
  for (const auto& [command, name] : table) {
    EXPECT_EQ(kind_of(command), name);
    runs += run_of(command).str();
  }
  EXPECT_EQ(runs, "abcdefghijk");
}

TEST(workflow_test, finds_a_step_by_its_id) {
  workflow flow;
  flow.steps.resize(2);
  flow.steps[0].id = step_id{"a"};
  flow.steps[1].id = step_id{"b"};
  EXPECT_EQ(find_step(flow, step_id{"b"}), &flow.steps[1]);
  EXPECT_EQ(find_step(flow, step_id{"c"}), nullptr);
  EXPECT_EQ(find_step(workflow{}, step_id{}), nullptr);
}

}  // namespace
}  // namespace troupe
