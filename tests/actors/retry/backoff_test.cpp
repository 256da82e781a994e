#include "actors/retry/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace troupe {
namespace {

retry_policy without_jitter(milliseconds initial, milliseconds max) {
  retry_policy policy;
  policy.initial = initial;
  policy.max = max;
  policy.jitter = 0;
  return policy;
}

error failure(error_code code) { return {code, "it failed", ""}; }

TEST(backoff, doubles_up_to_its_end_without_jitter) {
  const auto storage = without_jitter(100ms, 10s);
  std::vector<milliseconds> delays;
  for (int failed = 1; failed <= 9; ++failed) {
    delays.push_back(computed_delay(storage, failed, static_cast<std::uint64_t>(failed)));
  }
  EXPECT_EQ(delays,
            (std::vector<milliseconds>{100ms, 200ms, 400ms, 800ms, 1'600ms, 3'200ms, 6'400ms, 10'000ms, 10'000ms}));
}

TEST(backoff, of_agents_goes_from_a_second_to_sixteen) {
  auto agent = retry_policy{};
  EXPECT_EQ(agent.max_attempts, 3);
  agent.jitter = 0;
  const std::array<milliseconds, 6> expected{1s, 2s, 4s, 8s, 16s, 16s};
  for (int failed = 1; failed <= 6; ++failed) {
    EXPECT_EQ(computed_delay(agent, failed, 7), expected.at(static_cast<std::size_t>(failed - 1)));
  }
}

TEST(backoff, other_multipliers_are_as_exact) {
  auto policy = without_jitter(100ms, 1h);
  policy.multiplier = 1.5;
  EXPECT_EQ(computed_delay(policy, 1, 0), 100ms);
  EXPECT_EQ(computed_delay(policy, 2, 0), 150ms);
  EXPECT_EQ(computed_delay(policy, 3, 0), 225ms);
  EXPECT_EQ(computed_delay(policy, 4, 0), 338ms) << "337.5, to the nearest";
  policy.multiplier = 1;
  EXPECT_EQ(computed_delay(policy, 50, 0), 100ms);
}

TEST(backoff, the_seed_alone_decides) {
  const retry_policy policy;
  const task_id task{"r-1/1/review/claude"};
  const auto seed = retry_seed(task, attempt_no{1});
  EXPECT_EQ(computed_delay(policy, 1, seed), computed_delay(policy, 1, seed));
  EXPECT_NE(seed, retry_seed(task, attempt_no{2}));
  EXPECT_NE(seed, retry_seed(task_id{"r-2/1/review/claude"}, attempt_no{1}));
  // Of a build that is no more: what it decided before a crash must be decided alike by its successor.
  EXPECT_EQ(seed, retry_seed(task_id{std::string{"r-1/1/review/claude"}}, attempt_no{1}));
  EXPECT_EQ(retry_seed(task_id{""}, attempt_no{0}), 0xC3817C016BA4FF30U);
}

TEST(backoff, is_spread_evenly_over_its_interval) {
  const retry_policy policy;  // 1 s, half of it as jitter: 750 to 1250
  constexpr int draws = 50'000;
  std::array<int, 10> tenths{};
  double sum = 0;
  for (int i = 0; i < draws; ++i) {
    const auto seed = retry_seed(task_id{"r/1/s/" + std::to_string(i)}, attempt_no{1});
    const auto delay = computed_delay(policy, 1, seed);
    ASSERT_GE(delay, 750ms);
    ASSERT_LE(delay, 1'250ms);
    ++tenths.at(static_cast<std::size_t>(std::min<std::int64_t>((delay.count() - 750) / 50, 9)));
    sum += static_cast<double>(delay.count());
  }
  EXPECT_NEAR(sum / draws, 1'000, 5);
  double chi_square = 0;
  for (const int count : tenths) {
    chi_square += std::pow(count - draws / 10.0, 2) / (draws / 10.0);
  }
  EXPECT_LT(chi_square, 33) << "nine degrees of freedom: one in ten thousand";
}

TEST(backoff, both_ends_of_its_interval_are_drawn) {
  auto policy = without_jitter(4ms, 4ms);
  policy.jitter = 1;
  std::set<milliseconds> drawn;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    drawn.insert(computed_delay(policy, 1, seed));
  }
  EXPECT_EQ(drawn, (std::set<milliseconds>{2ms, 3ms, 4ms, 5ms, 6ms}));
}

// RT-2 for policies of every kind, those that no file may contain included.
TEST(backoff, stays_in_its_interval_for_every_policy) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    retry_policy policy;
    policy.initial = milliseconds{static_cast<std::int64_t>(random() % 100'000)};
    policy.max = policy.initial + milliseconds{static_cast<std::int64_t>(random() % 10'000'000)};
    policy.multiplier = 1 + static_cast<double>(random() % 900) / 100;
    policy.jitter = static_cast<double>(random() % 101) / 100;
    const int failed = 1 + static_cast<int>(random() % 100);
    const double exact = std::min(static_cast<double>(policy.initial.count()) * std::pow(policy.multiplier, failed - 1),
                                  static_cast<double>(policy.max.count()));
    const double delay = std::round(policy.initial == 0ms ? 0 : exact);
    const auto got = static_cast<double>(computed_delay(policy, failed, random()).count());
    ASSERT_GE(got, delay * (1 - policy.jitter / 2) - 1e-6);
    ASSERT_LE(got, delay * (1 + policy.jitter / 2) + 1e-6);
  }
}

TEST(backoff, no_input_overflows) {
  constexpr auto infinite = std::numeric_limits<double>::infinity();
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto initial : {milliseconds::min(), -1ms, 0ms, 1ms, 1'000ms, milliseconds::max()}) {
    for (const auto max : {milliseconds::min(), -1ms, 0ms, 1ms, 16'000ms, milliseconds::max()}) {
      for (const double multiplier : {-infinite, -1.0, 0.0, 0.5, 1.0, 2.0, 1e300, infinite, nan}) {
        for (const double jitter : {-infinite, -1.0, 0.0, 0.5, 1.0, 2.0, infinite, nan}) {
          for (const int failed : {std::numeric_limits<int>::min(), -1, 0, 1, 64, std::numeric_limits<int>::max()}) {
            const auto delay = computed_delay({3, initial, max, multiplier, jitter, {}}, failed, 12'345);
            ASSERT_GE(delay, 0ms);
            const auto most = static_cast<double>(std::max(max, 0ms).count());
            ASSERT_LE(static_cast<double>(delay.count()), most * 1.5);
          }
        }
      }
    }
  }
}

TEST(retry_decision, retryable_errors_have_all_calls_of_the_policy) {
  auto policy = without_jitter(1ms, 16s);
  policy.max_attempts = 5;
  for (int failed = 1; failed < 5; ++failed) {
    const auto next = decide_retry(policy, failure(error_code::backpressure), failed, 1, 0ms);
    ASSERT_TRUE(next) << failed;
    EXPECT_EQ(next->what, error_class::retryable);
    EXPECT_EQ(next->delay, computed_delay(policy, failed, 1));
  }
  EXPECT_FALSE(decide_retry(policy, failure(error_code::backpressure), 5, 1, 0ms));
  policy.max_attempts = 1;
  EXPECT_FALSE(decide_retry(policy, failure(error_code::backpressure), 1, 1, 0ms));
}

TEST(retry_decision, every_code_is_treated_by_its_class) {
  retry_policy policy;
  policy.max_attempts = 4;
  int codes = 0;
  for (int number = 0;; ++number, ++codes) {
    const auto code = static_cast<error_code>(number);
    if (number > static_cast<int>(error_code::internal)) {
      break;
    }
    SCOPED_TRACE(std::string{to_string(code)});
    int calls = 1;
    while (const auto next = decide_retry(policy, failure(code), calls, 3, 0ms)) {
      EXPECT_EQ(next->what, class_of(code));
      EXPECT_GE(next->delay, suggested_backoff(failure(code)));
      ++calls;
    }
    switch (class_of(code)) {
      case error_class::permanent:
        EXPECT_EQ(calls, 1);
        break;
      case error_class::unknown:
      case error_class::degraded:
        EXPECT_EQ(calls, 2);
        break;
      case error_class::retryable:
        EXPECT_EQ(calls, 4);
        break;
    }
  }
  EXPECT_EQ(codes, 42);
}

TEST(retry_decision, once_more_is_never_more_than_the_policy_allows) {
  retry_policy once;
  once.max_attempts = 1;
  EXPECT_FALSE(decide_retry(once, failure(error_code::agent_exit), 1, 1, 0ms));
  EXPECT_FALSE(decide_retry(once, failure(error_code::quorum_not_met), 1, 1, 0ms));
}

TEST(retry_decision, the_longer_of_the_computed_and_the_suggested_pause_holds) {
  auto policy = without_jitter(1s, 16s);
  policy.max_attempts = 10;
  const auto delay = [&](const error& why, int failed) { return decide_retry(policy, why, failed, 1, 0ms)->delay; };
  auto limited = failure(error_code::rate_limited);
  EXPECT_EQ(delay(limited, 1), 5s);
  EXPECT_EQ(delay(limited, 4), 8s);
  limited.retry_after = 47s;
  EXPECT_EQ(delay(limited, 1), 47s);
  limited.retry_after = 100ms;
  EXPECT_EQ(delay(limited, 1), 1s);
  EXPECT_EQ(delay(failure(error_code::task_timeout), 1), 5s);
  EXPECT_EQ(delay(failure(error_code::provider_unavailable), 1), 10s);
  EXPECT_EQ(delay(failure(error_code::storage_busy), 1), 1s);
  policy.initial = 10ms;
  EXPECT_EQ(delay(failure(error_code::storage_busy), 1), 200ms);
}

TEST(retry_decision, no_attempt_begins_after_the_time_for_all_of_them) {
  auto policy = without_jitter(1s, 16s);
  policy.total = 10s;
  const auto busy = failure(error_code::backpressure);
  EXPECT_TRUE(decide_retry(policy, busy, 1, 1, 9s)) << "at its very end";
  EXPECT_FALSE(decide_retry(policy, busy, 1, 1, 9'001ms));
  EXPECT_TRUE(decide_retry(policy, busy, 1, 1, -5s)) << "a clock that was set back";
  EXPECT_FALSE(decide_retry(policy, busy, 1, 1, milliseconds::max()));
  auto later = failure(error_code::rate_limited);
  later.retry_after = 12s;
  EXPECT_FALSE(decide_retry(policy, later, 1, 1, -5s)) << "which gives no time that was not there";
  policy.total = -1s;
  EXPECT_FALSE(decide_retry(policy, busy, 1, 1, 0ms));
  auto limited = failure(error_code::rate_limited);
  limited.retry_after = milliseconds::max();
  policy.total = 10s;
  EXPECT_FALSE(decide_retry(policy, limited, 1, 1, 0ms));
}

// The words in capitals of the row that begins with `| class |`.
std::set<std::string> documented_codes(error_class of) {
  std::ifstream page{TROUPE_SOURCE_DIR "/docs/limits.md"};
  const std::string start = "| " + std::string{to_string(of)} + " |";
  std::set<std::string> codes;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(start)) {
      std::ranges::replace(line, ',', ' ');
      std::istringstream words{line};
      for (std::string word; words >> word;) {
        if (error_code_from(word)) {
          codes.insert(word);
        }
      }
    }
  }
  return codes;
}

TEST(retry_decision, the_page_names_the_errors_of_each_class) {
  const auto permanent = documented_codes(error_class::permanent);
  EXPECT_FALSE(permanent.empty());
  for (int number = 0; number <= static_cast<int>(error_code::internal); ++number) {
    const auto code = static_cast<error_code>(number);
    const std::string name{to_string(code)};
    const auto what = class_of(code);
    if (what != error_class::permanent) {
      EXPECT_TRUE(documented_codes(what).contains(name)) << name;
      EXPECT_FALSE(permanent.contains(name)) << name;
    }
    for (const auto other : {error_class::retryable, error_class::degraded, error_class::unknown}) {
      EXPECT_FALSE(other != what && documented_codes(other).contains(name)) << name;
    }
  }
}

}  // namespace
}  // namespace troupe
