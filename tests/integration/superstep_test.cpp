// EN-2: supersteps through a whole node. What superstep n merged is what n + 1 sees, and a step runs once in each.
#include "tests/support/node_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::ElementsAre;

class superstep_test : public node_fixture {
 protected:
  /// Steps in the order in which their tasks were queued.
  std::vector<std::string> queued() const {
    std::vector<std::string> steps;
    for (const auto& fact : recorder_.events()) {
      if (fact.kind == event_kind::task_queued) {
        steps.push_back(fact.step->str());
      }
    }
    return steps;
  }

  std::string failure(const run_view& run) const { return run.why ? run.why->message : ""; }
};

std::string step(const std::string& id,
                 const std::string& function,
                 const std::string& args,
                 const std::string& next = "") {
  return "[[step]]\nid = '" + id + "'\nfunction = '" + function + "'\nargs = " + args + "\n" +
         (next.empty() ? "" : "next = " + next + "\n");
}

/// Adds 1 to n, where n is what it expects.
std::string link(int number, int seen, const std::string& next) {
  return step("s" + std::to_string(number),
              "probe.expect",
              "{ path = '/n', eq = " + std::to_string(seen) + ", field = 'n', value = 1 }",
              next);
}

TEST_F(superstep_test, each_of_a_thousand_steps_sees_what_the_one_before_it_wrote) {
  constexpr int length = 1'000;
  std::string flow = "name = 'chain'\n[state.n]\ninitial = 0\nreduce = 'sum'\n";
  for (int k = 1; k <= length; ++k) {
    flow += link(k, k - 1, k < length ? "'s" + std::to_string(k + 1) + "'" : "");
  }
  const auto node = start_node("[storage]\ndurability = 'normal'\n");
  const auto run = run_to_end(*node, flow);
  EXPECT_EQ(run.state, run_state::completed) << failure(run);
  EXPECT_EQ(run.result.str(), R"({"n":1000})");
  EXPECT_EQ(run.supersteps, length);
  EXPECT_EQ(run.steps, length);
}

TEST_F(superstep_test, a_step_that_expects_anything_else_fails_the_run) {
  const auto node = start_node();
  const auto run = run_to_end(*node,
                              "name = 'chain'\n[state.n]\ninitial = 0\nreduce = 'sum'\n" + link(1, 0, "'s2'") +
                                  link(2, 0, "'s3'") + link(3, 1, ""));
  EXPECT_EQ(run.state, run_state::failed);
  EXPECT_EQ(run.failed_step, step_id{"s2"});
  EXPECT_EQ(run.result.str(), R"({"n":1})");
}

constexpr const char* diamond_state = "[state.n]\ninitial = 0\nreduce = 'sum'\n";

TEST_F(superstep_test, a_step_that_two_routes_reach_runs_once) {
  const auto node = start_node();
  const auto run = run_to_end(*node,
                              std::string{"name = 'diamond'\n"} + diamond_state + link(1, 0, "['left', 'right']") +
                                  step("left", "probe.add", "{ field = 'n', value = 10 }", "'last'") +
                                  step("right", "probe.add", "{ field = 'n', value = 100 }", "'last'") +
                                  step("last", "probe.expect", "{ path = '/n', eq = 111, field = 'n', value = 1000 }"));
  EXPECT_EQ(run.state, run_state::completed) << failure(run);
  EXPECT_EQ(run.result.str(), R"({"n":1111})");
  EXPECT_EQ(run.supersteps, 3);
  EXPECT_THAT(queued(), ElementsAre("s1", "left", "right", "last"));
}

TEST_F(superstep_test, a_step_that_routes_reach_in_different_supersteps_runs_in_each) {
  const auto node = start_node();
  const auto run = run_to_end(*node,
                              std::string{"name = 'kite'\n"} + diamond_state + link(1, 0, "['near', 'far']") +
                                  step("near", "probe.echo", "{ field = 'n', value = 1 }", "'last'") +
                                  step("far", "probe.echo", "{ field = 'n', value = 1 }", "'further'") +
                                  step("further", "probe.echo", "{ field = 'n', value = 1 }", "'last'") +
                                  step("last", "probe.add", "{ field = 'n', value = 10 }"));
  EXPECT_EQ(run.state, run_state::completed) << failure(run);
  EXPECT_EQ(run.result.str(), R"({"n":24})");
  EXPECT_THAT(queued(), ElementsAre("s1", "near", "far", "last", "further", "last"));
}

TEST_F(superstep_test, the_steps_of_one_superstep_do_not_see_each_other) {
  const auto node = start_node();
  std::string flow = std::string{"name = 'fan'\n[limits]\nmax_concurrent = 2\n"} + diamond_state;
  std::string next;
  for (int k = 1; k <= 8; ++k) {
    next += (next.empty() ? "['s" : ", 's") + std::to_string(k) + "'";
  }
  flow += step("first", "probe.echo", "{}", next + "]");
  for (int k = 1; k <= 8; ++k) {
    flow += link(k, 0, "'last'");
  }
  flow += step("last", "probe.expect", "{ path = '/n', eq = 8 }");
  const auto run = run_to_end(*node, flow);
  EXPECT_EQ(run.state, run_state::completed) << failure(run);
  EXPECT_EQ(run.supersteps, 3);
}

TEST_F(superstep_test, two_writes_to_one_field_that_takes_one_are_a_conflict) {
  const auto node = start_node();
  const auto run = run_to_end(*node,
                              "name = 'conflict'\n" + step("first", "probe.echo", "{}", "['left', 'right']") +
                                  step("left", "probe.set", "{ field = 'x', value = 1 }", "'last'") +
                                  step("right", "probe.set", "{ field = 'x', value = 2 }", "'last'") +
                                  step("last", "probe.echo", "{}"));
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why.has_value());
  EXPECT_EQ(run.why->code, error_code::merge_conflict);
  for (const char* part : {"x", "left", "right"}) {
    EXPECT_THAT(run.why->message, testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace troupe
