// The whole way of a run: node, actors, database, processes.
#include "tests/support/node_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class run_test : public node_fixture {};

TEST_F(run_test, a_chain_of_functions_hands_its_state_on) {
  const auto node = start_node();
  const auto run = run_to_end(*node, R"(
name = "chain"
[state.total]
initial = 0
reduce = "sum"
[[step]]
id = "one"
function = "probe.add"
args = { field = "total", value = 1 }
next = "two"
[[step]]
id = "two"
function = "probe.expect"
args = { path = "/total", eq = 1, field = "total", value = 41 }
)");
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_EQ(run.result.str(), R"({"total":42})");
  EXPECT_THAT(recorder_.kinds(),
              ElementsAre("run.started",
                          "task.queued",
                          "task.started",
                          "task.completed",
                          "consensus.reached",
                          "superstep.committed",
                          "task.queued",
                          "task.started",
                          "task.completed",
                          "consensus.reached",
                          "superstep.committed",
                          "run.completed"));
}

constexpr const char* three_agents = R"(
[agents.a]
command = ["sh", "-c", "echo '{\"decision\": \"Yes\"}'"]
parse = "json"
pass_env = ["PATH"]
[agents.b]
command = ["sh", "-c", "echo '{\"decision\": \"yes \"}'"]
parse = "json"
pass_env = ["PATH"]
[agents.c]
command = ["sh", "-c", "echo '{\"decision\": \"no\"}'"]
parse = "json"
pass_env = ["PATH"]
[agents.broken]
command = ["sh", "-c", "echo oops >&2; exit 3"]
pass_env = ["PATH"]
)";

std::string vote_of(const std::string& agents) {
  return R"(
name = "vote"
[[step]]
id = "decide"
agents = )" +
         agents + R"(
prompt = "Well?"
[step.consensus]
strategy = "vote"
vote_on = "/decision"
)";
}

TEST_F(run_test, three_agents_come_to_a_verdict) {
  const auto node = start_node(three_agents);
  const auto run = run_to_end(*node, vote_of(R"(["a", "b", "c"])"));
  EXPECT_EQ(run.state, run_state::completed);
  EXPECT_FALSE(run.degraded);
  EXPECT_EQ(run.result.str(), R"({"decide":{"decision":"Yes"}})");
}

TEST_F(run_test, two_of_three_is_degraded_and_says_so) {
  const auto node = start_node(three_agents);
  const auto run = run_to_end(*node, vote_of(R"(["a", "b", "broken"])"));
  EXPECT_EQ(run.state, run_state::completed);
  EXPECT_TRUE(run.degraded);
}

TEST_F(run_test, one_of_three_does_not_meet_the_quorum) {
  const auto node = start_node(three_agents + std::string{R"(
[agents.broken2]
command = ["/no/such/program"]
)"});
  const auto run = run_to_end(*node, vote_of(R"(["a", "broken", "broken2"])"));
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why.has_value());
  EXPECT_EQ(run.why->code, error_code::quorum_not_met);
  EXPECT_THAT(run.why->message, HasSubstr("broken (AGENT_EXIT: agent 'broken' ended with status 3: oops)"));
  EXPECT_THAT(run.why->message, HasSubstr("AGENT_NOT_FOUND"));
}

TEST_F(run_test, a_tie_is_a_conflict) {
  const auto node = start_node(three_agents);
  const auto run = run_to_end(*node, vote_of(R"(["a", "c"])"));
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why.has_value());
  EXPECT_EQ(run.why->code, error_code::consensus_conflict);
}

}  // namespace
}  // namespace troupe
