// Who of a step is waited for: retries, quorums, races, aggregators and deadlines, by plain calls.
#include "tests/actors/run/plan_material.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace troupe {
namespace {

using kind = plan::step_deadline::kind;

const timestamp soon{std::chrono::seconds{100}};

workflow several(consensus_policy policy, const std::vector<std::string>& agents = {"a", "b", "c"}) {
  auto declared = agent_step("one", agents);
  declared.consensus = std::move(policy);
  return flow_of({declared});
}

consensus_policy race() {
  consensus_policy policy;
  policy.strategy = consensus_strategy::race;
  return policy;
}

task_id task_of(const std::string& agent) {
  return make_task_id(the_run, superstep_no{1}, step_id{"one"}, agent_name{agent});
}

std::string names(const std::vector<plan::stop_order>& stops) {
  std::string all;
  for (const auto& stop : stops) {
    all += (all.empty() ? "" : " ") + stop.task.str();
  }
  return all;
}

std::string given_up(const commit_superstep& closed) {
  std::string all;
  for (const auto& task : closed.given_up) {
    all += (all.empty() ? "" : " ") + task.task.str() + '=' + std::string{to_string(task.state)} + ' ' +
           std::string{to_string(task.why.code)};
  }
  return all;
}

recovery_view stored(const workflow& flow, const std::vector<std::pair<task_state, std::optional<timestamp>>>& tasks) {
  auto rows = fresh_rows(flow);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto& row = rows.tasks[i];
    row.state = tasks[i].first;
    row.attempt = attempt_no{row.state == task_state::queued ? 0 : 1};
    if (row.state == task_state::completed) {
      row.value = json_text{std::to_string(i)};
      row.finished_at = tasks[i].second;
    } else if (row.state == task_state::retrying) {
      row.retry_at = tasks[i].second;
      row.failures = 1;
      row.degraded_tries = row.retry_at ? 0 : 1;
      row.why = error{error_code::agent_exit, "it failed", ""};
    }
    rows.run.steps += row.attempt.value();
  }
  return rows;
}

TEST(plan_waiting_test, invariant_5_who_waits_for_a_time_holds_no_place) {
  auto flow = several({});
  flow.limits.max_concurrent = 1;
  auto progress = planned(flow);
  ASSERT_EQ(names(progress.admit()), "one/a");
  progress.finished(task_of("a"), retrying(soon));
  ASSERT_EQ(names(progress.admit()), "one/b");
  progress.finished(task_of("b"), completed("1"));
  ASSERT_EQ(names(progress.admit()), "one/c");
  progress.finished(task_of("c"), completed("1"));
  EXPECT_FALSE(progress.complete());
  EXPECT_TRUE(progress.admit().empty());
  progress.due(task_of("a"));
  const auto again = progress.admit();
  ASSERT_EQ(names(again), "one/a");
  EXPECT_EQ(again[0].attempt, attempt_no{2});
  EXPECT_EQ(again[0].failures, 1);
  progress.finished(task_of("a"), completed("1"));
  EXPECT_TRUE(progress.complete());
}

TEST(plan_waiting_test, a_retry_is_no_other_execution) {
  auto flow = several({}, {"a", "b"});
  flow.limits.max_steps = 2;
  auto progress = planned(flow);
  ASSERT_EQ(progress.admit().size(), 2U);
  progress.finished(task_of("a"), retrying(soon));
  progress.finished(task_of("b"), completed("1"));
  progress.due(task_of("a"));
  EXPECT_EQ(names(progress.admit()), "one/a");
  progress.finished(task_of("a"), completed("1"));
  EXPECT_EQ(progress.close().end->state, run_state::completed);
}

TEST(plan_waiting_test, an_attempt_that_did_not_begin_counts_for_nothing) {
  auto flow = several({}, {"a", "b"});
  flow.limits.max_steps = 1;
  auto progress = planned(flow);
  ASSERT_EQ(names(progress.admit()), "one/a");
  progress.hold(task_of("a"));
  EXPECT_FALSE(progress.complete());
  EXPECT_EQ(names(progress.admit()), "") << "the place that max_steps gives it is kept for it";
  progress.due(task_of("a"));
  const auto again = progress.admit();
  ASSERT_EQ(names(again), "one/a");
  EXPECT_EQ(again[0].attempt, attempt_no{1});
}

TEST(plan_waiting_test, due_says_nothing_to_who_does_not_wait) {
  auto progress = planned(several({}));
  progress.admit();
  progress.due(task_of("a"));
  progress.due(task_id{"r-9/1/one/a"});
  EXPECT_EQ(progress.running(), 3);
  progress.finished(task_of("a"), retrying(std::nullopt));
  progress.due(task_of("a"));
  EXPECT_TRUE(progress.admit().empty());
}

TEST(plan_waiting_test, retries_are_restored_with_their_times) {
  const auto flow = several({});
  auto progress = planned(
      flow,
      stored(flow,
             {{task_state::retrying, soon}, {task_state::completed, soon}, {task_state::retrying, std::nullopt}}));
  const auto waiting = progress.retries();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].task, task_of("a"));
  EXPECT_EQ(waiting[0].due, soon);
  EXPECT_TRUE(progress.admit().empty());
  progress.due(task_of("a"));
  EXPECT_EQ(names(progress.admit()), "one/a");
}

TEST(plan_waiting_test, invariant_6_who_is_missing_is_tried_once_more_when_the_others_are_a_quorum) {
  auto progress = planned(several({}));
  const auto first = progress.admit();
  EXPECT_TRUE(first[0].waits_for_quorum);
  progress.finished(task_of("a"), retrying(std::nullopt));
  progress.finished(task_of("b"), completed("1"));
  EXPECT_TRUE(progress.admit().empty());
  progress.finished(task_of("c"), completed("1"));
  EXPECT_FALSE(progress.complete());
  const auto again = progress.admit();
  ASSERT_EQ(names(again), "one/a");
  EXPECT_FALSE(again[0].waits_for_quorum);
  progress.finished(task_of("a"), failed());
  const auto closed = progress.close();
  EXPECT_EQ(closed.verdicts[0].reached.status, verdict_status::degraded);
  EXPECT_EQ(given_up(closed), "");
}

TEST(plan_waiting_test, invariant_6_and_has_failed_when_they_are_not) {
  auto progress = planned(several({}));
  progress.admit();
  progress.finished(task_of("a"), retrying(std::nullopt));
  progress.finished(task_of("b"), failed());
  progress.finished(task_of("c"), completed("1"));
  ASSERT_TRUE(progress.complete());
  const auto closed = progress.close();
  EXPECT_EQ(given_up(closed), "r-1/1/one/a=failed AGENT_EXIT");
  EXPECT_EQ(closed.end->why->code, error_code::quorum_not_met);
}

TEST(plan_waiting_test, retry_degraded_says_how_often) {
  for (int tries = 0; tries <= 3; ++tries) {
    consensus_policy policy;
    policy.retry_degraded = tries;
    auto progress = planned(several(policy));
    int again = 0;
    for (auto orders = progress.admit(); !orders.empty(); orders = progress.admit()) {
      for (const auto& order : orders) {
        const bool is_a = order.task.agent == agent_name{"a"};
        again += is_a ? 1 : 0;
        progress.finished(order.task.id,
                          !is_a                    ? completed("1")
                          : order.waits_for_quorum ? retrying(std::nullopt)
                                                   : failed());
      }
    }
    EXPECT_EQ(again, 1 + tries);
    EXPECT_TRUE(progress.complete());
  }
}

TEST(plan_waiting_test, a_lone_agent_has_no_others_to_wait_for) {
  auto progress = planned(flow_of({agent_step("one", {"a"})}));
  EXPECT_FALSE(progress.admit()[0].waits_for_quorum);
}

TEST(plan_waiting_test, a_lone_agent_that_fails_leaves_nobody_missing) {
  auto progress = planned(flow_of({agent_step("one", {"a"})}));
  progress.admit();
  progress.finished(task_of("a"), failed());
  const auto end = progress.close().end;
  EXPECT_EQ(end->state, run_state::failed);
  EXPECT_FALSE(end->degraded);
}

TEST(plan_waiting_test, invariant_7_a_race_ends_when_the_losers_have) {
  auto progress = planned(several(race()));
  progress.admit();
  EXPECT_TRUE(progress.take_stops().empty());
  progress.finished(task_of("b"), completed("2"), soon, soon + 2s);
  EXPECT_EQ(names(progress.take_stops()), "r-1/1/one/a r-1/1/one/c");
  EXPECT_TRUE(progress.take_stops().empty());
  EXPECT_FALSE(progress.complete());
  auto lost = failed(error_code::cancelled);
  lost.state = task_state::cancelled;
  progress.finished(task_of("a"), lost);
  EXPECT_TRUE(progress.take_stops().empty()) << "c has been told";
  EXPECT_FALSE(progress.complete());
  progress.finished(task_of("c"), completed("3"), soon, soon + 3s);  // it was faster than the stop
  ASSERT_TRUE(progress.complete());
  const auto answers = progress.close().verdicts[0].answers;
  EXPECT_EQ(answers[0].agent, agent_name{"b"});
}

// Rows have the times, and not the order in which messages came: a recovery and a replay come to the same winner.
TEST(plan_waiting_test, a_race_is_won_by_the_time_in_the_rows) {
  for (const auto& [second, winner] : {std::pair{1s, "a"}, std::pair{2s, "a"}, std::pair{3s, "c"}}) {
    auto progress = planned(several(race(), {"a", "c"}));
    progress.admit();
    progress.finished(task_of("c"), completed("3"), soon, soon + 2s);
    progress.finished(task_of("a"), completed("1"), soon, soon + second);
    EXPECT_EQ(progress.close().verdicts[0].answers[0].agent, agent_name{winner}) << second.count();
  }
}

TEST(plan_waiting_test, a_race_is_not_won_by_a_failure_and_who_waits_has_lost) {
  auto flow = several(race());
  flow.limits.max_concurrent = 2;
  auto progress = planned(flow);
  progress.admit();
  progress.finished(task_of("a"), failed());
  ASSERT_EQ(names(progress.admit()), "one/c");
  progress.finished(task_of("b"), retrying(soon));
  progress.finished(task_of("c"), completed("3"));
  ASSERT_TRUE(progress.complete());
  EXPECT_EQ(given_up(progress.close()), "r-1/1/one/b=cancelled CANCELLED");
}

TEST(plan_waiting_test, a_race_that_was_won_stays_won_after_a_crash) {
  const auto flow = several(race());
  auto progress = planned(flow,
                          stored(flow,
                                 {{task_state::completed, soon + 2s},
                                  {task_state::completed, soon + 1s},
                                  {task_state::queued, std::nullopt}}));
  ASSERT_TRUE(progress.complete());
  const auto closed = progress.close();
  EXPECT_EQ(closed.verdicts[0].answers[0].agent, agent_name{"b"});
  EXPECT_EQ(given_up(closed), "r-1/1/one/c=cancelled CANCELLED");
}

TEST(plan_waiting_test, a_soft_deadline_waits_for_a_quorum_and_no_longer) {
  consensus_policy policy;
  policy.soft_after = 10s;
  policy.hard_after = 60s;
  auto progress = planned(several(policy));
  progress.admit();
  EXPECT_TRUE(progress.take_deadlines().empty()) << "all of them wait for permits";
  progress.begun(task_of("b"));
  const auto deadlines = progress.take_deadlines();
  ASSERT_EQ(deadlines.size(), 2U);
  EXPECT_EQ(deadlines[0].after, 10s);
  EXPECT_EQ(deadlines[1].is, kind::hard);
  EXPECT_TRUE(progress.take_deadlines().empty());
  progress.finished(task_of("a"), completed("1"));
  progress.overdue(deadlines[0]);
  EXPECT_TRUE(progress.take_stops().empty());
  progress.finished(task_of("b"), completed("1"));
  EXPECT_EQ(names(progress.take_stops()), "r-1/1/one/c");
  progress.finished(task_of("c"), failed(error_code::task_timeout));
  EXPECT_EQ(progress.close().verdicts[0].reached.status, verdict_status::degraded);
}

TEST(plan_waiting_test, a_hard_deadline_waits_for_nobody) {
  consensus_policy policy;
  policy.hard_after = 60s;
  auto progress = planned(several(policy));
  progress.admit();
  progress.finished(task_of("a"), retrying(soon));
  progress.begun(task_of("a"));
  progress.overdue(progress.take_deadlines().at(0));
  EXPECT_EQ(names(progress.take_stops()), "r-1/1/one/b r-1/1/one/c");
  progress.finished(task_of("b"), failed(error_code::task_timeout));
  progress.finished(task_of("c"), completed("1"));
  const auto closed = progress.close();
  EXPECT_EQ(given_up(closed), "r-1/1/one/a=failed AGENT_EXIT");
  EXPECT_EQ(closed.end->why->code, error_code::quorum_not_met);
}

TEST(plan_waiting_test, deadlines_of_a_restored_step_count_from_its_earliest_start) {
  consensus_policy policy;
  policy.hard_after = 60s;
  const auto flow = several(policy);
  auto rows =
      stored(flow, {{task_state::completed, soon}, {task_state::completed, soon}, {task_state::queued, std::nullopt}});
  rows.tasks[0].first_started = soon - 20s;
  rows.tasks[1].first_started = soon - 5s;
  const auto deadlines = planned(flow, rows).take_deadlines();
  ASSERT_EQ(deadlines.size(), 1U);
  EXPECT_EQ(deadlines[0].began, soon - 20s);
}

TEST(plan_waiting_test, a_deadline_of_a_former_superstep_is_nobodys) {
  auto declared = agent_step("one", {"a", "b"}, {"one"});
  declared.consensus = consensus_policy{};
  declared.consensus->hard_after = 60s;
  auto progress = planned(flow_of({declared}));
  progress.admit();
  progress.begun(task_of("a"));
  const auto old = progress.take_deadlines().at(0);
  progress.finished(task_of("a"), completed("1"));
  progress.finished(task_of("b"), completed("1"));
  progress.committed(progress.close());
  progress.admit();
  progress.overdue(old);
  EXPECT_TRUE(progress.take_stops().empty());
}

consensus_policy aggregate() {
  consensus_policy policy;
  policy.strategy = consensus_strategy::aggregate;
  policy.aggregator = agent_name{"c"};
  return policy;
}

TEST(plan_waiting_test, an_aggregator_begins_when_the_others_are_done) {
  auto progress = planned(several(aggregate(), {"a", "b"}));
  ASSERT_EQ(names(progress.admit()), "one/a one/b");
  progress.finished(task_of("a"), completed("1"));
  EXPECT_TRUE(progress.admit().empty());
  progress.finished(task_of("b"), completed("2"));
  EXPECT_FALSE(progress.complete());
  ASSERT_EQ(names(progress.admit()), "one/c");
  progress.finished(task_of("c"), completed("{\"agreements\":[],\"conflicts\":[]}"));
  EXPECT_TRUE(progress.complete());
}

TEST(plan_waiting_test, an_aggregator_begins_after_the_soft_deadline_as_well) {
  auto policy = aggregate();
  policy.soft_after = 10s;
  auto progress = planned(several(policy, {"a", "b", "d"}));
  progress.admit();
  progress.finished(task_of("a"), completed("1"));
  progress.finished(task_of("b"), completed("2"));
  progress.begun(task_of("a"));
  progress.overdue(progress.take_deadlines().at(0));
  EXPECT_EQ(names(progress.take_stops()), "r-1/1/one/d");
  progress.finished(task_of("d"), failed(error_code::task_timeout));
  EXPECT_EQ(names(progress.admit()), "one/c") << "it is for the answers that are there";
}

TEST(plan_waiting_test, an_aggregator_is_not_asked_where_there_is_nothing_to_aggregate) {
  auto progress = planned(several(aggregate(), {"a", "b"}));
  progress.admit();
  progress.finished(task_of("a"), completed("1"));
  progress.finished(task_of("b"), failed());
  EXPECT_TRUE(progress.admit().empty());
  ASSERT_TRUE(progress.complete());
  EXPECT_EQ(given_up(progress.close()), "r-1/1/one/c=cancelled QUORUM_NOT_MET");
}

// Whatever happens in which order: it ends, and each task has exactly one end.
TEST(plan_waiting_test, steps_of_any_policy_come_to_an_end) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    consensus_policy policy;
    policy.strategy = random() % 3 == 0   ? consensus_strategy::race
                      : random() % 2 == 0 ? consensus_strategy::aggregate
                                          : consensus_strategy::collect;
    policy.aggregator = agent_name{"d"};
    policy.retry_degraded = static_cast<int>(random() % 3);
    policy.soft_after = 1s;
    policy.hard_after = 2s;
    auto flow = several(policy);
    flow.limits.max_concurrent = static_cast<int>(1 + random() % 3);
    auto progress = planned(flow);
    std::vector<attempt_order> live;
    std::vector<task_id> delayed;
    std::vector<plan::step_deadline> deadlines;
    std::set<task_id> ended;
    int turns = 0;
    for (; !progress.complete() && turns < 200; ++turns) {
      for (auto& order : progress.admit()) {
        progress.begun(order.task.id);
        live.push_back(std::move(order));
      }
      for (const auto& deadline : progress.take_deadlines()) {
        deadlines.push_back(deadline);
      }
      for (const auto& stop : progress.take_stops()) {
        std::erase_if(live, [&](const attempt_order& order) { return order.task.id == stop.task; });
        EXPECT_TRUE(ended.insert(stop.task).second) << "seed " << seed;
        progress.finished(stop.task, failed(error_code::task_timeout));
      }
      if (!deadlines.empty() && random() % 12 == 0) {
        progress.overdue(deadlines.front());
        deadlines.erase(deadlines.begin());
      } else if (!delayed.empty() && (live.empty() || random() % 2 == 0)) {
        progress.due(delayed.back());
        delayed.pop_back();
      } else if (!live.empty()) {
        const auto order = live.back();
        live.pop_back();
        const auto dice = random() % 4;
        if (dice == 0) {
          progress.hold(order.task.id);
          delayed.push_back(order.task.id);
        } else if (dice == 1) {
          progress.finished(order.task.id, retrying(soon));
          delayed.push_back(order.task.id);
        } else if (dice == 2 && order.waits_for_quorum) {
          progress.finished(order.task.id, retrying(std::nullopt));
        } else {
          EXPECT_TRUE(ended.insert(order.task.id).second) << "seed " << seed;
          progress.finished(order.task.id, dice == 2 ? failed() : completed("1"));
        }
      }
    }
    ASSERT_LT(turns, 200) << "seed " << seed;
    for (const auto& task : progress.close().given_up) {
      EXPECT_TRUE(ended.insert(task.task).second) << "seed " << seed;
    }
    EXPECT_EQ(ended.size(), policy.strategy == consensus_strategy::aggregate ? 4U : 3U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace troupe
