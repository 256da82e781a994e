// A provider with limits of its own, runs that want more than it gives, and the admission between them, event by event
// in virtual time.
#include "actors/governor/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe::test {
namespace {

struct request {
  admission::question number;
  token_estimate expected;
  token_estimate tokens;  // what it will come to
};

// How providers count: the last minute as it slides, or a bucket that refills.
enum class counting { sliding_window, bucket };

class simulated_provider {
 public:
  simulated_provider(counting how, std::int64_t requests, std::int64_t tokens)
      : how_(how), requests_max_(requests), tokens_max_(tokens), level_{double(requests), double(tokens)} {}

  // None: it is taken. Otherwise when there will be room for it.
  std::optional<milliseconds> refuses(const token_estimate& tokens, instant now) {
    const auto amount = tokens.input + tokens.output;
    return how_ == counting::bucket ? by_bucket(amount, now) : by_window(amount, now);
  }

 private:
  std::optional<milliseconds> by_window(std::int64_t amount, instant now) {
    while (!taken_.empty() && taken_.front().first + 60s <= now) {
      sum_ -= taken_.front().second;
      taken_.pop_front();
    }
    auto requests = static_cast<std::int64_t>(taken_.size());
    auto sum = sum_;
    if (requests < requests_max_ && sum + amount <= tokens_max_) {
      taken_.emplace_back(now, amount);
      sum_ += amount;
      return std::nullopt;
    }
    for (const auto& [at, tokens] : taken_) {
      --requests;
      sum -= tokens;
      if (requests < requests_max_ && sum + amount <= tokens_max_) {
        return std::chrono::ceil<milliseconds>(at + 60s - now);
      }
    }
    return 60'000ms;
  }

  std::optional<milliseconds> by_bucket(std::int64_t amount, instant now) {
    const double minutes = std::chrono::duration<double, std::ratio<60>>(now - filled_).count();
    filled_ = now;
    level_.requests = std::min<double>(double(requests_max_), level_.requests + minutes * double(requests_max_));
    level_.tokens = std::min<double>(double(tokens_max_), level_.tokens + minutes * double(tokens_max_));
    if (level_.requests >= 1 && level_.tokens >= double(amount)) {
      level_.requests -= 1;
      level_.tokens -= double(amount);
      return std::nullopt;
    }
    const double missing =
        std::max((1 - level_.requests) / double(requests_max_), (double(amount) - level_.tokens) / double(tokens_max_));
    return milliseconds{static_cast<std::int64_t>(missing * 60'000) + 1};
  }

  struct bucket {
    double requests;
    double tokens;
  };

  counting how_;
  std::int64_t requests_max_;
  std::int64_t tokens_max_;
  std::deque<std::pair<instant, std::int64_t>> taken_;
  std::int64_t sum_ = 0;
  bucket level_;
  instant filled_;
};

struct outcome {
  std::int64_t requests = 0;  // that the provider took
  std::int64_t tokens = 0;
  std::int64_t refusals = 0;  // 429s
  int refusals_at_once = 0;   // most that were on their way together, once the first had come back
};

class simulation {
 public:
  simulation(std::uint64_t seed, const provider_spec& told, simulated_provider provider)
      : random_(seed), brain_(rules_of(told)), provider_(std::move(provider)) {
    brain_.restored({{told.name, 0, {}}}, now_);
  }

  // There is always something that waits.
  outcome run(std::chrono::minutes length) {
    const auto end = now_.steady + length;
    for (int i = 0; i < 64; ++i) {
      ask_new();
    }
    while (!events_.empty() && events_.begin()->first <= end) {
      const auto next = events_.begin();
      const auto passed = next->first - now_.steady;
      now_.steady += passed;
      now_.day += std::chrono::floor<std::chrono::microseconds>(passed);
      const auto act = std::move(next->second);
      events_.erase(next);
      act();
    }
    return out_;
  }

 private:
  static admission_rules rules_of(const provider_spec& told) {
    admission_rules rules;
    rules.providers[told.name] = told;
    return rules;
  }

  void after(std::chrono::nanoseconds time, std::function<void()> act) {
    events_.emplace(now_.steady + time, std::move(act));
  }

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(random_);
  }

  void ask_new() {
    request made;
    made.expected = {between(200, 2'000), between(100, 500)};
    made.tokens = {made.expected.input * between(80, 105) / 100, made.expected.output * between(50, 105) / 100};
    ask(made, false);
  }

  void ask(request what, bool is_retry) {
    what.number = ++newest_;
    ask_permit asked;
    asked.run = run_id{"r" + std::to_string(newest_ % 7)};
    asked.task = task_id{std::to_string(newest_)};
    asked.provider = provider_name{"p"};
    asked.is_retry = is_retry;
    asked.estimate = what.expected;
    waiting_[what.number] = what;
    take(brain_.ask(what.number, 1, asked, now_));
  }

  void take(const admission::decisions& out) {
    for (const auto& each : out.grants) {
      const auto what = waiting_.at(each.to);
      waiting_.erase(each.to);
      after(milliseconds{between(5, 40)}, [=, this] { arrives(what, each.permit); });
    }
    for (const auto& each : out.refusals) {
      const auto what = waiting_.at(each.to);
      waiting_.erase(each.to);
      after(*each.why.retry_after, [=, this] { ask(what, true); });
    }
    if (out.wake && (!wake_ || *out.wake < *wake_)) {
      wake_ = out.wake;
      events_.emplace(*out.wake, [this] {
        wake_.reset();
        take(brain_.woken(now_));
      });
    }
  }

  void arrives(const request& what, permit_id permit) {
    if (const auto retry_after = provider_.refuses(what.tokens, now_.steady)) {
      ++out_.refusals;
      if (first_refusal_is_known_) {
        out_.refusals_at_once = std::max(out_.refusals_at_once, ++refusals_on_their_way_);
      }
      const bool counts = first_refusal_is_known_;
      after(milliseconds{between(20, 60)}, [=, this] {
        refusals_on_their_way_ -= counts ? 1 : 0;
        first_refusal_is_known_ = true;
        after(*retry_after, [=, this] { ask(what, true); });
        take(brain_.returned({permit, permit_end::rate_limited, std::nullopt, retry_after}, now_));
      });
      return;
    }
    ++out_.requests;
    out_.tokens += what.tokens.input + what.tokens.output;
    after(milliseconds{between(500, 4'000)}, [=, this] {
      take(brain_.returned({permit, permit_end::succeeded, what.tokens, std::nullopt}, now_));
      ask_new();
    });
  }

  std::mt19937_64 random_;
  admission brain_;
  simulated_provider provider_;
  moment now_{timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}}, instant{1h}};
  std::multimap<instant, std::function<void()>> events_;
  std::map<admission::question, request> waiting_;
  admission::question newest_ = 0;
  std::optional<instant> wake_;
  bool first_refusal_is_known_ = false;
  int refusals_on_their_way_ = 0;
  outcome out_;
};

provider_spec told(int concurrent, std::int64_t requests, std::int64_t input, std::int64_t output) {
  provider_spec spec;
  spec.name = provider_name{"p"};
  spec.max_concurrent = concurrent;
  spec.requests_per_minute = requests;
  spec.input_tokens_per_minute = input;
  spec.output_tokens_per_minute = output;
  return spec;
}

constexpr std::chrono::minutes hour{60};

std::string text_of(const outcome& out) {
  return std::to_string(out.requests) + " requests, " + std::to_string(out.tokens) + " tokens, " +
         std::to_string(out.refusals) + " refusals, " + std::to_string(out.refusals_at_once) + " at once";
}

class provider_simulation : public testing::TestWithParam<counting> {};

TEST_P(provider_simulation, known_request_limits_are_used_up_without_a_refusal) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto out = simulation{seed, told(8, 50, 0, 0), {GetParam(), 50, 1'000'000'000}}.run(hour);
    EXPECT_EQ(out.refusals, 0) << text_of(out);
    EXPECT_GE(out.requests, 50 * 60 * 9 / 10) << text_of(out);
  }
}

TEST_P(provider_simulation, unknown_limits_are_found) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto out = simulation{seed, told(8, 0, 0, 0), {GetParam(), 50, 1'000'000'000}}.run(hour);
    EXPECT_GT(out.refusals, 0);
    EXPECT_LE(out.refusals_at_once, 1) << text_of(out);
    EXPECT_GE(out.requests, 50 * 60 * 9 / 10) << text_of(out);
  }
}

TEST_P(provider_simulation, unknown_limits_of_tokens_are_found) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto out = simulation{seed, told(0, 0, 0, 0), {GetParam(), 1'000, 60'000}}.run(hour);
    EXPECT_GT(out.refusals, 0);
    EXPECT_LE(out.refusals_at_once, 1) << text_of(out);
    EXPECT_GE(out.tokens, 60'000 * 60 * 9 / 10) << text_of(out);
  }
}

TEST_P(provider_simulation, limits_of_requests_and_tokens_together) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto out = simulation{seed, told(16, 60, 0, 0), {GetParam(), 60, 60'000}}.run(hour);
    EXPECT_LE(out.refusals_at_once, 1) << text_of(out);
    EXPECT_GE(out.tokens, 60'000 * 60 * 9 / 10) << text_of(out);
  }
}

INSTANTIATE_TEST_SUITE_P(both,
                         provider_simulation,
                         testing::Values(counting::sliding_window, counting::bucket),
                         [](const auto& each) { return each.param == counting::bucket ? "bucket" : "sliding_window"; });

}  // namespace
}  // namespace troupe::test
