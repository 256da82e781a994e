// Attempts that fail and are tried again, permits that are waited for, races and deadlines: one thread, virtual time.
#include "storage/read_session.hpp"
#include "tests/actors/run/run_fixture.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace troupe {
namespace {

class run_retries_test : public run_fixture {
 protected:
  run_retries_test() {
    house_.retry = retry_policy{};
    house_.retry.jitter = 0;
  }
};

TEST_F(run_retries_test, a_failed_attempt_is_tried_again_after_the_pause_of_its_policy) {
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.settle();
  EXPECT_EQ(count("task.retrying"), 1);
  EXPECT_EQ(house_.tasks()[0].state, task_state::retrying);
  house_.advance(990ms);
  EXPECT_EQ(house_.processes->count(), 1U);
  house_.advance(10ms);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1, "good");
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.tasks()[0].attempt, attempt_no{2});
  EXPECT_EQ(count("task.failed"), 0);
  EXPECT_EQ(count("task.completed"), 1);
}

TEST_F(run_retries_test, the_last_failure_carries_its_cause) {
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.settle();
  house_.advance(1s);
  house_.processes->exit(1, "", 7);
  house_.settle();
  expect_end(run_state::failed);
  const auto why = *house_.view().why;
  EXPECT_EQ(why.code, error_code::max_attempts_exceeded);
  EXPECT_THAT(why.message, testing::HasSubstr("2 attempts failed, at last AGENT_EXIT: "));
  EXPECT_EQ(count("task.failed"), 1);
}

TEST_F(run_retries_test, a_permanent_failure_is_never_tried_again) {
  begin(one_agent);
  process_end end;
  end.exit.start_failure = error{error_code::agent_not_found, "no such program", ""};
  house_.processes->end(0, end);
  house_.advance(60s);
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::agent_not_found);
  EXPECT_EQ(house_.processes->count(), 1U);
  EXPECT_EQ(count("task.retrying"), 0);
}

TEST_F(run_retries_test, a_cancel_does_not_wait_for_a_retry) {
  house_.retry.initial = house_.retry.max = 30s;
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.advance(5s);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();  // no time passes
  expect_end(run_state::cancelled);
  EXPECT_EQ(house_.tasks()[0].state, task_state::cancelled);
  house_.advance(60s);
  EXPECT_EQ(house_.processes->count(), 1U);
}

TEST_F(run_retries_test, a_retry_survives_the_death_of_its_run_and_of_the_scheduler) {
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.advance(400ms);
  house_.kill(house_.retries.get());
  house_.advance(200ms);
  house_.kill(house_.run_actors.back());
  house_.advance(380ms);
  EXPECT_EQ(house_.processes->count(), 1U);
  house_.advance(50ms);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1, "good");
  house_.settle();
  expect_end(run_state::completed);
}

TEST_F(run_retries_test, a_run_goes_on_when_the_governor_has_died) {
  begin(three_agents);
  house_.processes->exit(0);
  house_.kill(house_.permits.get());
  house_.processes->exit(1);
  house_.processes->exit(2, "", 1);
  house_.advance(1'100ms);
  ASSERT_EQ(house_.processes->count(), 4U);
  house_.processes->exit(3);
  house_.settle();
  expect_end(run_state::completed);
}

TEST_F(run_retries_test, who_is_missing_is_tried_once_more_and_then_the_step_is_degraded) {
  begin(three_agents);
  house_.processes->exit(0, "", 1);
  house_.settle();
  house_.advance(1s);
  house_.processes->exit(3, "", 1);  // as often as its class is worth
  house_.settle();
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.processes->count(), 4U);
  house_.processes->exit(2);
  house_.settle();
  ASSERT_EQ(house_.processes->count(), 5U);  // the others are a quorum
  house_.processes->exit(4, "", 1);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_TRUE(house_.view().degraded);
  EXPECT_EQ(house_.tasks()[0].why->code, error_code::max_attempts_exceeded);
  EXPECT_EQ(count("task.failed"), 1);
}

TEST_F(run_retries_test, below_the_quorum_nobody_is_tried_in_vain) {
  begin(three_agents);
  process_end end;
  end.exit.start_failure = error{error_code::agent_not_found, "no such program", ""};
  house_.processes->end(1, end);
  house_.processes->end(2, end);
  house_.processes->exit(0, "", 1);
  house_.settle();
  house_.advance(1s);
  house_.processes->exit(3, "", 1);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::quorum_not_met);
  EXPECT_EQ(house_.processes->count(), 4U);
  EXPECT_EQ(count("task.failed"), 3);
}

TEST_F(run_retries_test, a_used_up_quota_pauses_the_run_until_it_resets) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].requests_per_day = 1;
  begin(two_agents);
  house_.processes->exit(0);
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::paused);
  EXPECT_EQ(house_.view().why->code, error_code::rate_limited);
  EXPECT_EQ(count("run.paused"), 1);
  const auto until = (*read_session::open(house_.database.options()))->load_recovery(run_id{"r-1"})->paused_until;
  ASSERT_TRUE(until.has_value());
  const auto left = std::chrono::ceil<milliseconds>(*until - house_.clock->now());
  EXPECT_LE(left, 24h);
  house_.kill(house_.run_actors.back());  // the rows know it all
  house_.advance(left - 1s);
  EXPECT_EQ(house_.processes->count(), 1U);
  house_.advance(2s);
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(count("run.resumed"), 1);
  house_.processes->exit(1);
  house_.settle();
  expect_end(run_state::completed);
}

// As far as the commit of the pause; its answer is still on its way to the run.
void settle_until_paused(house& of) {
  while (of.view().state != run_state::paused && of.scheduler().try_run_once()) {
  }
  ASSERT_EQ(of.view().state, run_state::paused);
}

TEST_F(run_retries_test, a_quota_that_has_reset_by_the_time_of_the_pause_is_no_pause_for_ever) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].requests_per_day = 1;
  house_.start();
  ASSERT_TRUE(house_.submit(two_agents));
  house_.listen();
  house_.processes->exit(0);
  settle_until_paused(house_);
  house_.clock->advance(25h);
  house_.advance(1s);
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(count("run.paused"), 1);
}

// Its rows say `paused`: who looks for runs under way does not find it there.
TEST_F(run_retries_test, a_run_that_sleeps_wakes_although_the_run_supervisor_has_died) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].requests_per_day = 1;
  begin(two_agents);
  house_.processes->exit(0);
  house_.settle();
  ASSERT_EQ(house_.view().state, run_state::paused);
  house_.kill(house_.runs.get());
  house_.advance(1s);
  EXPECT_EQ(house_.view().state, run_state::paused);
  house_.clock->advance(25h);
  house_.advance(31s);  // how long the scheduler sleeps at most
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.processes->exit(1);
  house_.settle();
  expect_end(run_state::completed);
}

// At every message on the way to the pause, its commit and its answer among them.
TEST(run_retries_sweep, a_cancel_while_a_pause_is_committed_is_not_lost) {
  bool paused_before = false;
  for (int messages = 0; !paused_before; ++messages) {
    house place;
    place.provider = "shop";
    place.limits.providers[provider_name{"shop"}].requests_per_day = 1;
    place.start();
    ASSERT_TRUE(place.submit(two_agents));
    place.processes->exit(0);
    bool more = true;
    for (int i = 0; i < messages && more; ++i) {
      more = place.scheduler().try_run_once();
    }
    paused_before = !more;
    caf::anon_send(place.run_actors.back(), cancel_run{run_id{"r-1"}, false});
    place.settle();
    ASSERT_EQ(place.view().state, run_state::cancelled) << "after " << messages << " messages";
  }
}

// Two of three are at work, and the third has learnt that the day is used up: the run is on its way to a pause.
class run_before_a_pause_test : public run_retries_test {
 protected:
  void begin_with(const std::string& consensus) {
    house_.provider = "shop";
    house_.limits.providers[provider_name{"shop"}].requests_per_day = 2;
    begin(three_agents + ("[step.consensus]\n" + consensus));
    ASSERT_EQ(house_.processes->count(), 2U);
    ASSERT_EQ(house_.view().state, run_state::running) << "nothing is paused while attempts run";
  }
};

TEST_F(run_before_a_pause_test, the_hard_deadline_of_a_step_holds) {
  begin_with("hard_deadline = '20s'\n");
  house_.advance(19s);
  EXPECT_FALSE(house_.processes->at(0).terminated);
  house_.advance(1s);
  EXPECT_TRUE(house_.processes->at(0).terminated);
  EXPECT_TRUE(house_.processes->at(1).terminated);
  house_.processes->exit(0, "", 143);
  house_.processes->exit(1, "", 143);
  house_.settle();
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view().why->code, error_code::quorum_not_met);
  EXPECT_EQ(count("run.paused"), 0) << "nobody is left to wait for the quota";
}

TEST_F(run_before_a_pause_test, the_losers_of_a_race_are_stopped) {
  begin_with("strategy = 'race'\n");
  house_.processes->exit(1, "first");
  house_.settle();
  EXPECT_TRUE(house_.processes->at(0).terminated);
  house_.processes->exit(0, "", 143);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(count("run.paused"), 0) << "the race is won without the third";
}

TEST_F(run_retries_test, a_run_that_has_ended_leaves_nobody_waiting_for_it) {
  house_.retry.initial = house_.retry.max = 30s;
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.settle();
  const auto waiting = [&] {
    std::int64_t found = -1;
    caf::scoped_actor self{*house_.system};
    auto asked = self->request(house_.retries.get(), caf::infinite, waits_query{});
    house_.settle();
    asked.receive([&](const waits_view& view) { found = view.waiting; }, [](const caf::error&) {});
    return found;
  };
  EXPECT_EQ(waiting(), 1);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  EXPECT_EQ(waiting(), 0);
}

// RT-8, with the class of failures that is worth the fewest attempts: two, and one more for the quorum.
TEST_F(run_retries_test, of_a_thousand_tasks_with_ten_percent_of_failures_nearly_all_succeed) {
  constexpr std::uint64_t seed = 20'261'121;
  constexpr int steps = 334;
  std::mt19937_64 random{seed};
  house_.processes->answer_all_with("ok", [&] { return random() % 10 == 0 ? 1 : 0; });
  begin(R"(
name = "loop"
[limits]
max_steps = 1002
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hello"
next = "ask"
)");
  for (int seconds = 0; seconds < 1'000 && !is_final(house_.view().state); ++seconds) {
    house_.advance(1s);
  }
  EXPECT_EQ(house_.view().why->code, error_code::max_steps_exceeded);
  const auto whole = std::ranges::count_if(house_.events, [](const event& each) {
    return each.kind == event_kind::consensus_reached && each.data.str().find(R"("status":"ok")") != std::string::npos;
  });
  RecordProperty("tasks_that_succeeded", static_cast<int>(count("task.completed")));
  EXPECT_GE(count("task.completed"), 3 * steps * 99 / 100) << "seed " << seed;
  EXPECT_GE(whole, steps * 95 / 100) << "seed " << seed;
  EXPECT_GT(count("task.retrying"), 50) << "seed " << seed;
  EXPECT_EQ(count("task.completed") + count("task.failed"), 3 * steps);
}

TEST_F(run_retries_test, a_run_that_sleeps_can_be_cancelled) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].requests_per_day = 1;
  begin(R"(
name = "two"
[[step]]
id = "first"
agents = ["a", "b"]
prompt = "hello"
)");
  ASSERT_EQ(house_.processes->count(), 1U);
  house_.processes->exit(0);
  house_.settle();
  ASSERT_EQ(house_.view().state, run_state::paused);
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  house_.settle();
  expect_end(run_state::cancelled);
}

}  // namespace
}  // namespace troupe
