// What runs ask of the governor, and what they do with its answers: one thread, virtual time.
#include "storage/read_session.hpp"
#include "tests/support/house.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe {
namespace {

constexpr const char* three_at_once = R"(
name = "three"
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hello"
)";

// Who comes first answers for all; then somebody else has his turn.
constexpr const char* race_and_more = R"(
name = "race"
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hello"
next = "more"
[step.consensus]
strategy = "race"
[[step]]
id = "more"
agent = "a"
prompt = "hello"
)";

std::string one_of_priority(int priority) {
  return "name = \"one\"\n[limits]\npriority = " + std::to_string(priority) +
         "\n[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n";
}

class run_permits_test : public testing::Test {
 protected:
  run_permits_test() {
    house_.retry = retry_policy{};
    house_.retry.jitter = 0;
  }

  void begin(const std::string& toml) {
    house_.start();
    const auto reply = house_.submit(toml);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
  }

  limits_view limits() {
    limits_view seen;
    caf::scoped_actor self{*house_.system};
    auto asked = self->request(house_.permits.get(), caf::infinite, limits_query{});
    house_.settle();
    asked.receive([&](const limits_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  house house_;
};

TEST_F(run_permits_test, a_retry_is_asked_for_as_one_with_what_it_failed_of) {
  begin(three_at_once);
  EXPECT_EQ(limits().running, 3);
  EXPECT_EQ(limits().retries_running, 0);
  house_.processes->exit(0, "", 1);
  house_.settle();
  EXPECT_EQ(limits().running, 2) << "who waits for its time holds no permit";
  house_.advance(1s);
  EXPECT_EQ(limits().running, 3);
  EXPECT_EQ(limits().retries_running, 1);
  const auto counted = limits().retries;
  EXPECT_EQ(counted.unknown, 1);
  EXPECT_EQ(counted.retryable + counted.permanent + counted.degraded, 0);
}

TEST_F(run_permits_test, what_the_prompt_is_expected_to_use_is_reserved) {
  house_.provider = "shop";
  begin(three_at_once);
  ASSERT_EQ(limits().providers.size(), 1U);
  const auto reserved = limits().providers[0];
  EXPECT_EQ(reserved.provider, provider_name{"shop"});
  EXPECT_EQ(reserved.requests_per_minute.used, 3);
  EXPECT_EQ(reserved.input_tokens_per_minute.used, 3) << "five bytes, three times";
  EXPECT_EQ(reserved.output_tokens_per_minute.used, 3'000);
}

// What a later governor, or a later node, has to know of an attempt under way.
TEST_F(run_permits_test, the_row_of_an_attempt_says_what_it_may_use_and_whose_its_process_is) {
  house_.provider = "shop";
  begin(three_at_once);
  const auto rows = *read_session::open(house_.database.options());
  const auto now = house_.clock->now();
  const auto use = rows->find_provider_use({{provider_name{"shop"}}, now - 61s, now - 1h});
  ASSERT_TRUE(use.has_value());
  EXPECT_EQ(use->at(0).requests_today, 3);
  ASSERT_EQ(use->at(0).last_minute.size(), 3U);
  EXPECT_EQ(use->at(0).last_minute[0].tokens.input, 1);
  EXPECT_EQ(use->at(0).last_minute[0].tokens.output, 1'000);
  const auto processes = *rows->list_leftovers();
  ASSERT_EQ(processes.size(), 3U);
  EXPECT_EQ(processes[2].pid, 1'002);
  EXPECT_EQ(processes[2].pid_start_time, 7);
}

// Whatever kept it from its beginning: nobody has heard of the provider.
TEST_F(run_permits_test, what_could_not_be_started_is_no_success_of_its_provider) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].breaker.consecutive = 2;
  begin(three_at_once);
  process_end never;
  never.exit.start_failure = error{error_code::internal, "no process can be started", ""};
  house_.processes->exit(0, "", 1);
  house_.settle();
  house_.processes->end(1, never);
  house_.settle();
  EXPECT_EQ(limits().providers.at(0).breaker, breaker_state::closed);
  house_.processes->exit(2, "", 1);
  house_.settle();
  EXPECT_EQ(limits().providers.at(0).breaker, breaker_state::open) << "two failures in a row";
}

TEST_F(run_permits_test, a_failure_that_was_ordered_counts_as_a_real_one) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].breaker.consecutive = 2;
  house_.faults = *fault_plan::parse("agent.503:2");
  begin(three_at_once);
  EXPECT_EQ(limits().providers.at(0).breaker, breaker_state::open);
}

TEST_F(run_permits_test, the_priority_of_the_workflow_is_that_of_its_questions) {
  house_.limits.attempts_max = 1;
  house_.start();
  ASSERT_TRUE(house_.submit(one_of_priority(5), "r-now"));
  ASSERT_TRUE(house_.submit(one_of_priority(1), "r-low"));
  ASSERT_TRUE(house_.submit(one_of_priority(9), "r-high"));
  ASSERT_EQ(house_.processes->count(), 1U);
  house_.processes->exit(0);
  house_.settle();
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(house_.processes->at(1).request.group, "r-high");
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.processes->at(2).request.group, "r-low");
}

TEST_F(run_permits_test, a_permit_that_comes_too_late_is_given_back) {
  house_.limits.attempts_max = 1;
  begin(race_and_more);
  house_.processes->exit(0);  // whose permit goes to another agent of the race, which is over
  house_.settle();
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(limits().running, 1);
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::completed);
}

TEST_F(run_permits_test, who_need_not_begin_any_more_is_taken_out_of_the_queue) {
  house_.provider = "shop";
  house_.limits.providers[provider_name{"shop"}].requests_per_minute = 2;
  begin(race_and_more);
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(limits().waiting, 1);
  house_.processes->exit(0);
  house_.settle();
  house_.processes->exit(1, "", 1);
  house_.settle();
  EXPECT_EQ(house_.view().supersteps, 1);
  EXPECT_EQ(limits().waiting, 1) << "that of the next step, and no other";
}

TEST_F(run_permits_test, whoever_waited_for_a_governor_that_died_asks_the_next_one) {
  house_.limits.attempts_max = 1;
  begin(three_at_once);
  ASSERT_EQ(house_.processes->count(), 1U);
  house_.kill(house_.permits.get());
  house_.advance(100ms);
  EXPECT_EQ(house_.processes->count(), 2U) << "the new one knows nothing of the first";
  EXPECT_EQ(limits().waiting, 1);
}

TEST_F(run_permits_test, whoever_waited_for_a_scheduler_that_died_asks_the_next_one) {
  begin(three_at_once);
  house_.processes->exit(0, "", 1);
  house_.settle();
  house_.kill(house_.retries.get());
  house_.advance(1'100ms);
  EXPECT_EQ(house_.processes->count(), 4U);
}

// A run that pauses for one provider's quota begins nothing more with another one.
TEST_F(run_permits_test, a_pause_takes_back_what_is_asked_of_others) {
  house_.providers = {{"a", "shop"}, {"b", "mill"}, {"c", "shop"}, {"d", "mill"}};
  house_.limits.providers[provider_name{"shop"}].requests_per_day = 1;
  house_.limits.providers[provider_name{"mill"}].requests_per_minute = 1;
  house_.start({"a", "b", "c", "d"});
  ASSERT_TRUE(
      house_.submit("name = \"four\"\n[[step]]\nid = \"ask\"\nagents = [\"a\", \"b\", \"c\", \"d\"]\n"
                    "prompt = \"hello\"\n"));
  ASSERT_EQ(house_.processes->count(), 2U);
  EXPECT_EQ(limits().waiting, 0);
  house_.processes->exit(0);
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::paused);
}

TEST_F(run_permits_test, a_deadline_counts_from_the_first_start_over_all_lives_of_the_run) {
  begin(std::string{three_at_once} + "[step.consensus]\nhard_deadline = \"10s\"\n");
  house_.listen();
  house_.advance(6s);
  house_.kill(house_.run_actors.back());
  house_.advance(3'900ms);
  ASSERT_EQ(house_.processes->count(), 6U);
  EXPECT_FALSE(house_.processes->at(5).terminated);
  house_.advance(200ms);
  EXPECT_TRUE(house_.processes->at(5).terminated);
  for (std::size_t i = 3; i < 6; ++i) {
    house_.processes->exit(i, "", 1);
  }
  house_.settle();
  EXPECT_EQ(house_.view().state, run_state::failed) << "who came too late is not tried again";
  EXPECT_EQ(house_.processes->count(), 6U);
  EXPECT_EQ(std::ranges::count(house_.kinds(), "task.retrying"), 0);
}

// The pause is in the rows, and the run has not read them yet: what comes due then has to wait as well.
TEST(run_permits_sweep, a_retry_that_comes_due_while_a_pause_is_committed_waits_for_its_end) {
  bool paused_before = false;
  for (int messages = 0; !paused_before; ++messages) {
    SCOPED_TRACE("after " + std::to_string(messages) + " messages");
    house place;
    place.provider = "shop";
    place.limits.providers[provider_name{"shop"}].requests_per_day = 2;
    place.retry = retry_policy{};
    place.retry.jitter = 0;
    place.retry.initial = place.retry.max = 5s;  // shorter than what the writer is given for an answer
    place.start();
    ASSERT_TRUE(place.submit(three_at_once));
    ASSERT_EQ(place.processes->count(), 2U);
    place.processes->exit(0, "", 1);
    place.settle();
    place.processes->exit(1, "2");
    bool more = true;
    for (int i = 0; i < messages && more; ++i) {
      more = place.scheduler().try_run_once();
    }
    paused_before = !more;
    place.clock->advance(6s);
    place.scheduler().advance_time(6s);
    place.settle();
    ASSERT_EQ(place.view().state, run_state::paused);
    ASSERT_EQ(place.processes->count(), 2U);
    place.clock->advance(25h);
    place.scheduler().advance_time(31s);
    place.settle();
    ASSERT_EQ(place.processes->count(), 4U);
    place.processes->exit(2, "2");
    place.processes->exit(3, "2");
    place.settle();
    ASSERT_EQ(place.view().state, run_state::completed);
  }
}

}  // namespace
}  // namespace troupe
