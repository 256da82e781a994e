#include "actors/retry/retrying.hpp"

#include "messages/retry.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace troupe {
namespace {

const timestamp now{std::chrono::hours{24}};

attempt_order order(int failures = 0) {
  attempt_order made;
  made.task.id = task_id{"r-1/1/ask/a"};
  made.attempt = attempt_no{failures + 1};
  made.retry.jitter = 0;
  made.failures = failures;
  return made;
}

task_outcome failed(error_code code) {
  task_outcome outcome;
  outcome.state = task_state::failed;
  outcome.why = error{code, "it went wrong", "do this"};
  return outcome;
}

TEST(retrying_test, what_is_no_failure_stays_as_it_is) {
  for (const auto state : {task_state::completed, task_state::cancelled, task_state::interrupted}) {
    auto judged = failed(error_code::task_timeout);
    judged.state = state;
    const auto after = with_retry(order(), judged, now, now);
    EXPECT_EQ(after.state, state);
    EXPECT_FALSE(after.retry);
  }
}

TEST(retrying_test, a_failure_waits_for_the_pause_that_was_decided) {
  const auto after = with_retry(order(1), failed(error_code::task_timeout), now - 1s, now);
  EXPECT_EQ(after.state, task_state::retrying);
  ASSERT_TRUE(after.retry);
  EXPECT_EQ(after.retry->delay, 5s);
  EXPECT_EQ(after.retry->due, now + 5s);
  EXPECT_EQ(after.why->code, error_code::task_timeout);
}

TEST(retrying_test, one_failure_is_told_as_what_it_was_and_several_as_too_many) {
  auto once = order();
  once.retry.max_attempts = 1;
  EXPECT_EQ(with_retry(once, failed(error_code::task_timeout), now, now).why->code, error_code::task_timeout);
  const auto after = with_retry(order(2), failed(error_code::task_timeout), now, now);
  EXPECT_EQ(after.state, task_state::failed);
  EXPECT_EQ(after.why->code, error_code::max_attempts_exceeded);
  EXPECT_EQ(after.why->message, "3 attempts failed, at last TASK_TIMEOUT: it went wrong");
  EXPECT_EQ(after.why->hint, "do this");
}

TEST(retrying_test, a_permanent_failure_is_told_as_what_it_was_however_many_came_before_it) {
  auto awaited = order(1);
  awaited.waits_for_quorum = true;
  for (const auto& each : {order(), order(1), awaited}) {
    const auto after = with_retry(each, failed(error_code::auth_required), now, now);
    EXPECT_EQ(after.state, task_state::failed);
    EXPECT_EQ(after.why->code, error_code::auth_required);
  }
}

TEST(retrying_test, who_may_be_asked_once_more_waits_for_the_others_and_not_for_a_time) {
  auto awaited = order(2);
  awaited.waits_for_quorum = true;
  const auto after = with_retry(awaited, failed(error_code::task_timeout), now, now);
  EXPECT_EQ(after.state, task_state::retrying);
  EXPECT_FALSE(after.retry);
}

TEST(retrying_test, the_time_for_all_attempts_begins_with_the_first) {
  auto third = order(1);
  third.retry.total = 60s;
  third.first_started = now - 56s;
  EXPECT_EQ(with_retry(third, failed(error_code::task_timeout), now - 1s, now).state, task_state::failed);
  third.first_started = now - 55s;
  EXPECT_EQ(with_retry(third, failed(error_code::task_timeout), now - 1s, now).state, task_state::retrying);
  third.first_started.reset();
  EXPECT_EQ(with_retry(third, failed(error_code::task_timeout), now - 56s, now).state, task_state::failed);
}

TEST(retrying_test, what_each_failure_says_about_the_provider) {
  const std::map<error_code, permit_end> others{{error_code::task_timeout, permit_end::failed},
                                                {error_code::provider_unavailable, permit_end::failed},
                                                {error_code::agent_exit, permit_end::failed},
                                                {error_code::agent_signal, permit_end::failed},
                                                {error_code::agent_no_output, permit_end::failed},
                                                {error_code::rate_limited, permit_end::rate_limited},
                                                {error_code::agent_not_found, permit_end::not_counted}};
  for (int number = 0; number <= static_cast<int>(error_code::internal); ++number) {
    const auto code = static_cast<error_code>(number);
    const auto found = others.find(code);
    EXPECT_EQ(permit_end_of(failed(code)), found == others.end() ? permit_end::succeeded : found->second)
        << to_string(code);
  }
  EXPECT_EQ(permit_end_of(task_outcome{}), permit_end::succeeded);
  auto stopped = failed(error_code::cancelled);
  for (const auto state : {task_state::cancelled, task_state::interrupted}) {
    stopped.state = state;
    EXPECT_EQ(permit_end_of(stopped), permit_end::not_counted);
  }
}

}  // namespace
}  // namespace troupe
