#include "actors/retry/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

// FNV-1a, 64 bits, and the finaliser of SplitMix64, which spreads it over all bits.
constexpr std::uint64_t fnv_offset = 14'695'981'039'346'656'037U;
constexpr std::uint64_t fnv_prime = 1'099'511'628'211U;

std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

// 53 bits: every value is exact, and 1 is never reached.
double unit_interval(std::uint64_t seed) noexcept { return static_cast<double>(mixed(seed) >> 11U) * 0x1p-53; }

milliseconds whole(double length) noexcept {
  constexpr auto most = milliseconds::max().count();
  if (!(length > 0)) {  // also not a number
    return milliseconds{0};
  }
  return length >= static_cast<double>(most) ? milliseconds::max() : milliseconds{static_cast<std::int64_t>(length)};
}

double unspread_delay(const retry_policy& policy, int failed_attempts) noexcept {
  const auto initial = static_cast<double>(std::max(policy.initial, milliseconds{0}).count());
  const auto most = static_cast<double>(std::max(policy.max, milliseconds{0}).count());
  const double multiplier = policy.multiplier >= 1 ? policy.multiplier : 1;
  if (initial == 0) {
    return 0;  // and not 0 times infinity
  }
  const double grown = initial * std::pow(multiplier, std::max(failed_attempts, 1) - 1);
  return std::round(std::min(grown, most));
}

}  // namespace

std::uint64_t retry_seed(const task_id& task, attempt_no failed) noexcept {
  std::uint64_t hash = fnv_offset;
  for (const char letter : task.str()) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * fnv_prime;
  }
  return mixed(hash ^ static_cast<std::uint64_t>(failed.value()));
}

milliseconds computed_delay(const retry_policy& policy, int failed_attempts, std::uint64_t seed) noexcept {
  const double delay = unspread_delay(policy, failed_attempts);
  const double jitter = policy.jitter > 0 ? std::min(policy.jitter, 1.0) : 0;
  const double least = std::ceil(delay - delay * jitter / 2);
  const double most = std::floor(delay + delay * jitter / 2);
  return whole(std::min(least + std::floor(unit_interval(seed) * (most - least + 1)), most));
}

std::optional<retry_decision> decide_retry(const retry_policy& policy,
                                           const error& why,
                                           int failed_attempts,
                                           std::uint64_t seed,
                                           milliseconds elapsed_since_first) noexcept {
  const auto what = class_of(why.code);
  int calls_max = policy.max_attempts;
  switch (what) {
    case error_class::permanent:
      return std::nullopt;
    case error_class::unknown:
    case error_class::degraded:
      calls_max = std::min(calls_max, 2);
      break;
    case error_class::retryable:
      break;
  }
  if (failed_attempts >= calls_max) {
    return std::nullopt;
  }
  const auto delay = std::max(computed_delay(policy, failed_attempts, seed), suggested_backoff(why));
  const auto elapsed = std::max(elapsed_since_first, milliseconds{0});
  if (policy.total && (elapsed > *policy.total || delay > *policy.total - elapsed)) {
    return std::nullopt;
  }
  return retry_decision{delay, what};
}

}  // namespace troupe
