// How far a run is with each step, from rows of every state.
#include "runtime/cli/graph_marks.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

step step_of(const std::string& id) {
  step out;
  out.id = step_id{id};
  out.output = field_name{id};
  return out;
}

task_view task_of(const std::string& id, std::int64_t superstep, task_state state) {
  task_view out;
  out.step = step_id{id};
  out.superstep = superstep_no{superstep};
  out.state = state;
  return out;
}

gate_view gate_of(const std::string& id, gate_state state) {
  gate_view out;
  out.asked.place.step = step_id{id};
  out.state = state;
  return out;
}

class graph_marks_test : public ::testing::Test {
 protected:
  graph_marks_test() {
    rows_.run.state = run_state::running;
    flow_.steps = {step_of("a"), step_of("b")};
  }

  std::string mark(const std::string& id) const {
    constexpr std::array<std::string_view, 5> words{"completed", "running", "waiting", "failed", "cancelled"};
    const auto marks = marks_of(flow_, rows_, tasks_);
    const auto found = marks.find(step_id{id});
    return found == marks.end() ? "not reached" : std::string{words.at(static_cast<std::size_t>(found->second))};
  }

  workflow flow_;
  recovery_view rows_;
  std::vector<task_view> tasks_;
};

TEST_F(graph_marks_test, follow_the_state_of_the_task) {
  const std::vector<std::pair<task_state, std::string>> table{{task_state::pending, "waiting"},
                                                              {task_state::queued, "waiting"},
                                                              {task_state::running, "running"},
                                                              {task_state::validating, "running"},
                                                              {task_state::completed, "completed"},
                                                              {task_state::failed, "failed"},
                                                              {task_state::retrying, "waiting"},
                                                              {task_state::cancelled, "cancelled"},
                                                              {task_state::interrupted, "waiting"}};
  for (const auto& [state, word] : table) {
    tasks_ = {task_of("a", 1, state)};
    EXPECT_EQ(mark("a"), word) << to_string(state);
    EXPECT_EQ(mark("b"), "not reached");
  }
}

TEST_F(graph_marks_test, say_of_a_dead_owner_that_nothing_runs) {
  rows_.run.abandoned = true;
  tasks_ = {task_of("a", 1, task_state::running)};
  EXPECT_EQ(mark("a"), "waiting");
}

TEST_F(graph_marks_test, are_of_the_newest_superstep) {
  tasks_ = {task_of("a", 1, task_state::failed),
            task_of("b", 2, task_state::completed),
            task_of("a", 3, task_state::running)};
  EXPECT_EQ(mark("a"), "running");
  tasks_.back().state = task_state::completed;
  EXPECT_EQ(mark("a"), "completed");
}

TEST_F(graph_marks_test, of_several_agents_need_their_quorum) {
  flow_.steps[0].agents = {agent_name{"x"}, agent_name{"y"}, agent_name{"z"}};
  tasks_ = {task_of("a", 1, task_state::completed),
            task_of("a", 1, task_state::failed),
            task_of("a", 1, task_state::completed)};
  EXPECT_EQ(mark("a"), "completed");
  tasks_[0].state = task_state::failed;
  EXPECT_EQ(mark("a"), "failed");
  flow_.steps[0].consensus.emplace().min_answers = 1;
  EXPECT_EQ(mark("a"), "completed");
  tasks_[1].state = task_state::queued;
  EXPECT_EQ(mark("a"), "waiting");
}

TEST_F(graph_marks_test, of_an_aggregate_do_not_count_the_aggregator) {
  flow_.steps[0].agents = {agent_name{"x"}, agent_name{"y"}};
  flow_.steps[0].consensus.emplace().strategy = consensus_strategy::aggregate;
  flow_.steps[0].consensus->aggregator = agent_name{"z"};
  tasks_ = {task_of("a", 1, task_state::completed),
            task_of("a", 1, task_state::completed),
            task_of("a", 1, task_state::failed)};
  EXPECT_EQ(mark("a"), "completed");
}

TEST_F(graph_marks_test, of_a_map_need_every_element) {
  flow_.steps[0].map.emplace();
  tasks_ = {task_of("a", 1, task_state::completed), task_of("a", 1, task_state::failed)};
  EXPECT_EQ(mark("a"), "failed");
  tasks_[1].state = task_state::completed;
  EXPECT_EQ(mark("a"), "completed");
}

TEST_F(graph_marks_test, of_what_has_no_task_go_by_its_result) {
  rows_.run.result = json_text{R"({"a":{"decision":"approved"},"b":[]})"};
  EXPECT_EQ(mark("a"), "completed");
  EXPECT_EQ(mark("b"), "completed");
  flow_.state.push_back({field_name{"b"}, json_text{"[]"}, reducer::last, {}});
  EXPECT_EQ(mark("b"), "not reached") << "it began with one";
}

TEST_F(graph_marks_test, of_a_gate_that_asks_are_waiting) {
  rows_.gates = {gate_of("a", gate_state::open)};
  rows_.run.result = json_text{R"({"a":{"decision":"rejected"}})"};
  EXPECT_EQ(mark("a"), "waiting") << "it asks again";
  rows_.gates[0].state = gate_state::approved;
  EXPECT_EQ(mark("a"), "completed");
  rows_.gates[0].state = gate_state::open;
  rows_.run.state = run_state::cancelled;
  rows_.run.result = json_text{"{}"};
  EXPECT_EQ(mark("a"), "not reached");
}

TEST_F(graph_marks_test, name_the_step_that_ended_the_run) {
  tasks_ = {task_of("a", 1, task_state::completed)};
  rows_.run.state = run_state::failed;
  rows_.run.failed_step = step_id{"a"};
  EXPECT_EQ(mark("a"), "failed") << "its answers were no result";
}

}  // namespace
}  // namespace troupe
