// Limits, waits and faults through JSON and back.
#include "runtime/json/limits_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace troupe {
namespace {

using testing::HasSubstr;

timestamp at(std::chrono::seconds since_1970) { return timestamp{since_1970}; }

node_limits some_limits() {
  node_limits made;
  made.allowed.running = 4;
  made.allowed.attempts_max = 1'024;
  made.allowed.waiting = 3;
  made.allowed.retries_running = 1;
  made.allowed.retries_max = 3;
  made.allowed.retries = {5, 0, 2, 1};
  provider_view limited;
  limited.provider = provider_name{"pro\"vider"};
  limited.running = 2;
  limited.waiting = 3;
  limited.concurrency = 4;
  limited.max_concurrent = 8;
  limited.requests_per_minute = {12, 60};
  limited.input_tokens_per_minute = {1'000, 40'000};
  limited.output_tokens_per_minute = {200, 8'000};
  limited.requests_per_day = {99, 1'000};
  limited.breaker = breaker_state::open;
  limited.closed_until = at(1'795'287'600s) + std::chrono::microseconds{125};
  limited.granted = 40;
  limited.rejected = 6;
  limited.rate_limited = 2;
  provider_view free;
  free.provider = provider_name{"unlimited"};
  free.breaker = breaker_state::half_open;
  made.allowed.providers = {limited, free};
  made.waits.waiting = 2;
  made.waits.next = {{run_id{"r-1"}, "r-1/1/ask/a", at(9s)}, {run_id{"r-2"}, "quota", at(86'399s)}};
  return made;
}

TEST(limits_json, arrive_as_they_were) {
  const auto sent = some_limits();
  const auto told = read_limits(limits_json(sent, 4'711));
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->pid, 4'711);
  const auto& got = told->limits;
  EXPECT_EQ(got.allowed.running, 4);
  EXPECT_EQ(got.allowed.attempts_max, 1'024);
  EXPECT_EQ(got.allowed.waiting, 3);
  EXPECT_EQ(got.allowed.retries_running, 1);
  EXPECT_EQ(got.allowed.retries_max, 3);
  EXPECT_EQ(got.allowed.retries.retryable, 5);
  EXPECT_EQ(got.allowed.retries.permanent, 0);
  EXPECT_EQ(got.allowed.retries.degraded, 2);
  EXPECT_EQ(got.allowed.retries.unknown, 1);
  ASSERT_EQ(got.allowed.providers.size(), 2U);
  const auto& limited = got.allowed.providers[0];
  EXPECT_EQ(limited.provider, sent.allowed.providers[0].provider);
  EXPECT_EQ(limited.running, 2);
  EXPECT_EQ(limited.waiting, 3);
  EXPECT_EQ(limited.concurrency, 4);
  EXPECT_EQ(limited.max_concurrent, 8);
  EXPECT_EQ(limited.requests_per_minute.used, 12);
  EXPECT_EQ(limited.requests_per_minute.limit, 60);
  EXPECT_EQ(limited.input_tokens_per_minute.used, 1'000);
  EXPECT_EQ(limited.output_tokens_per_minute.limit, 8'000);
  EXPECT_EQ(limited.requests_per_day.used, 99);
  EXPECT_EQ(limited.breaker, breaker_state::open);
  EXPECT_EQ(limited.closed_until, sent.allowed.providers[0].closed_until);
  EXPECT_EQ(limited.granted, 40);
  EXPECT_EQ(limited.rejected, 6);
  EXPECT_EQ(limited.rate_limited, 2);
  EXPECT_EQ(got.allowed.providers[1].breaker, breaker_state::half_open);
  EXPECT_FALSE(got.allowed.providers[1].closed_until);
  EXPECT_EQ(got.waits.waiting, 2);
  ASSERT_EQ(got.waits.next.size(), 2U);
  EXPECT_EQ(got.waits.next[1].run, run_id{"r-2"});
  EXPECT_EQ(got.waits.next[1].key, "quota");
  EXPECT_EQ(got.waits.next[1].due, at(86'399s));
}

TEST(limits_json, no_limit_is_null_and_none_in_a_row_is_a_zero) {
  const auto json = limits_json(some_limits(), 1);
  EXPECT_THAT(json, HasSubstr(R"("requests_per_minute":{"used":0,"limit":null})"));
  EXPECT_THAT(json, HasSubstr(R"("concurrency":null,"max_concurrent":null)"));
  EXPECT_THAT(json, HasSubstr(R"("begun":{"retryable":5,"permanent":0,"degraded":2,"unknown":1})"));
  EXPECT_THAT(json, HasSubstr(R"("due":"1970-01-01T23:59:59.000000Z")"));
}

TEST(limits_json, faults_arrive_as_they_were) {
  const auto told =
      read_faults(faults_json(std::vector<fault_view>{{"agent.429", 2, 0, 1}, {"agent.exit", 0, 10, 3}}, 7));
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->pid, 7);
  ASSERT_EQ(told->faults.size(), 2U);
  EXPECT_EQ(to_text(told->faults[0]), "agent.429: 1 of 2");
  EXPECT_EQ(to_text(told->faults[1]), "agent.exit: 10 %, 3 so far");
}

TEST(limits_json, what_nobody_of_ours_wrote_is_refused_or_nothing) {
  for (const std::string text : {"", "no", "[]", "{}", R"({"error":{}})"}) {
    EXPECT_EQ(read_limits(text).error().code, error_code::internal) << text;
    EXPECT_EQ(read_faults(text).error().code, error_code::internal) << text;
  }
  const auto odd = read_limits(
      R"({"attempts_max":"many","providers":[1,{"provider":2,"breaker":"ajar","closed_until":"2026-13-01T00:00:00.000000Z"}],
          "retries":[],"waits":{"next":[{"due":"-026-01-01T00:00:00.000000Z"},{"due":"soon"}]}})");
  ASSERT_TRUE(odd.has_value());
  ASSERT_EQ(odd->limits.allowed.providers.size(), 1U);
  EXPECT_FALSE(odd->limits.allowed.providers[0].closed_until);
  EXPECT_EQ(odd->limits.allowed.providers[0].breaker, breaker_state::closed);
  ASSERT_EQ(odd->limits.waits.next.size(), 2U);
  EXPECT_EQ(odd->limits.waits.next[0].due, timestamp{});
}

}  // namespace
}  // namespace troupe
