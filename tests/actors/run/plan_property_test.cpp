// Workflows of any shape, carried out in any order, with crashes in between: one run from one seed.
#include "actors/run/order.hpp"
#include "tests/actors/run/plan_material.hpp"
#include "tests/actors/run/stored_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

workflow random_flow(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto count = 2 + random() % 6;
  const std::vector<std::string> agents{"a", "b", "c"};
  const reducer how[] = {reducer::append, reducer::set_union, reducer::last, reducer::sum, reducer::max, reducer::fail};
  std::vector<step> steps;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::vector<std::string> next;
    for (auto left = random() % 4; left > 0; --left) {
      next.push_back("s" + std::to_string(random() % count));
    }
    const auto id = "s" + std::to_string(i);
    if (random() % 2 == 0) {
      steps.push_back(function_step(id, next));
    } else {
      steps.push_back(
          agent_step(id, {agents.begin(), agents.begin() + static_cast<std::ptrdiff_t>(1 + random() % 3)}, next));
      steps.back().consensus = consensus_policy{};
      steps.back().consensus->strategy = random() % 2 == 0 ? consensus_strategy::vote : consensus_strategy::collect;
      steps.back().consensus->quorum = 1;
    }
    steps.back().output = field_name{random() % 4 == 0 ? "shared" : id};
  }
  auto flow = flow_of(std::move(steps));
  flow.state.push_back({field_name{"shared"}, std::nullopt, how[random() % 6], {}});
  flow.limits.max_steps = static_cast<std::int64_t>(5 + random() % 30);
  return flow;
}

// What a task comes to hangs on what it is and on what it sees, and on nothing else.
task_outcome outcome_of(const attempt_order& order) {
  const auto random = task_seed(order.run, order.task.id, attempt_no{1}) ^ run_seed(run_id{order.state->str()});
  if (random % 16 == 0) {
    return failed();
  }
  auto outcome = completed(std::to_string(random % 3));
  if (order.spec.kind == agent_kind::function && random % 4 == 1) {
    outcome.deltas = {{field_name{"shared"}, json_text{std::to_string(random % 5)}},
                      {field_name{order.task.step.str()}, json_text{"[1]"}}};
  }
  return outcome;
}

struct carried_out {
  std::vector<std::string> commits;
  std::int64_t executed = 0;
  bool out_of_steps = false;
};

carried_out carry_out(workflow flow, int max_concurrent, std::uint64_t seed, bool with_crashes) {
  std::mt19937_64 random{seed};
  flow.limits.max_concurrent = max_concurrent;
  stored_run stored{flow};
  auto progress = planned(flow, stored.rows());
  std::vector<attempt_order> live;
  carried_out made;
  std::int64_t last_order = -1;
  auto superstep_begun = stored.rows().run.result.str();
  while (true) {
    for (auto& order : progress.admit()) {
      EXPECT_EQ(order.state->str(), superstep_begun);
      if (order.attempt.value() == 1) {
        EXPECT_GT(order.task.order, last_order);
        last_order = order.task.order;
      }
      stored.started(order);
      live.push_back(std::move(order));
    }
    EXPECT_LE(static_cast<int>(live.size()), max_concurrent);
    EXPECT_EQ(progress.running(), static_cast<int>(live.size()));
    if (with_crashes && random() % 8 == 0) {
      stored.crashed();
      live.clear();
      progress = planned(flow, stored.rows());
      continue;
    }
    if (!live.empty()) {
      const auto at = live.begin() + static_cast<std::ptrdiff_t>(random() % live.size());
      if (random() % 10 == 0) {
        progress.finished(at->task.id, interrupted());
        stored.finished(at->task.id, interrupted());
      } else {
        const auto outcome = outcome_of(*at);
        progress.finished(at->task.id, outcome);
        stored.finished(at->task.id, outcome);
      }
      live.erase(at);
      continue;
    }
    if (!progress.complete()) {
      ADD_FAILURE() << "stuck";
      return made;
    }
    const auto closed = progress.close();
    made.commits.push_back(text(closed));
    if (closed.end) {
      made.executed = stored.rows().run.steps;
      made.out_of_steps = closed.end->why && closed.end->why->code == error_code::max_steps_exceeded;
      return made;
    }
    progress.committed(closed);
    stored.committed(closed);
    superstep_begun = closed.state.str();
    last_order = -1;
  }
}

TEST(plan_test, invariants_1_to_4_hold_for_workflows_of_any_shape_in_any_order) {
  int out_of_steps = 0;
  int completed_runs = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto flow = random_flow(seed);
    const auto expected = carry_out(flow, 1, 0, false);
    out_of_steps += expected.out_of_steps ? 1 : 0;
    completed_runs += expected.commits.back().find("end completed") != std::string::npos ? 1 : 0;
    ASSERT_LE(expected.executed, flow.limits.max_steps) << seed;
    if (expected.out_of_steps) {
      ASSERT_EQ(expected.executed, flow.limits.max_steps) << seed;
    }
    for (const int max_concurrent : {1, 2, 8, 64}) {
      for (const bool with_crashes : {false, true}) {
        const auto again =
            carry_out(flow, max_concurrent, seed * 8 + static_cast<std::uint64_t>(max_concurrent), with_crashes);
        ASSERT_EQ(again.commits, expected.commits) << "seed " << seed << ", " << max_concurrent << " at once";
        ASSERT_EQ(again.executed, expected.executed) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(out_of_steps, 10);  // the seeds reach what they are for
  EXPECT_GT(completed_runs, 10);
}

}  // namespace
}  // namespace troupe
