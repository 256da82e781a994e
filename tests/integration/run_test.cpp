// The whole way of a run: node, actors, database, processes.
#include "tests/support/node_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

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

TEST_F(run_test, many_who_ask_share_few_connections) {
  const auto node = start_node("[storage]\nreaders_max = 3\n");
  ASSERT_TRUE(node);
  const auto run = run_to_end(*node, "name = 'one'\n[[step]]\nid = 's'\nfunction = 'probe.echo'\n").run;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (int question = 0; question < 30; ++question) {
        const auto found = node->find_run(run);
        EXPECT_TRUE(found && found->state == run_state::completed);
      }
    });
  }
  threads.clear();
  const auto readers = node->readers();
  EXPECT_EQ(readers.readers_max, 3);
  EXPECT_LE(readers.opened, 3);
  EXPECT_GE(readers.idle, 2);
  EXPECT_EQ(readers.in_use, 0);
  EXPECT_GT(readers.loans, 12 * 30);
  EXPECT_EQ(readers.timeouts, 0);
  const auto tree = node->tree();
  ASSERT_TRUE(tree);
  EXPECT_EQ(std::ranges::count_if(
                tree->children,
                [](const child_view& each) { return each.answers && each.name.starts_with("database_reader"); }),
            4);
}

}  // namespace
}  // namespace troupe
