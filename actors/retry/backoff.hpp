// Whether a failed attempt is followed by another, and after which pause: pure functions. Requirements RT-2 and RT-3.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"
#include "messages/retry.hpp"
#include "messages/retry_policy.hpp"

#include <cstdint>
#include <optional>

namespace troupe {

/// The same in every process and on every machine: what is decided again after a crash is decided alike.
std::uint64_t retry_seed(const task_id& task, attempt_no failed) noexcept;

/// The pause after `failed_attempts` (from 1; less counts as 1), spread by `seed` alone. Whole milliseconds, never
/// negative, never outside [d(1 - jitter/2), d(1 + jitter/2)] with d = min(initial * multiplier^(n-1), max).
/// Any input: a multiplier below 1 (or none at all) counts as 1, jitter is taken into [0, 1], negative times count as 0,
/// and what would be longer than milliseconds can say is the longest that they can.
milliseconds computed_delay(const retry_policy& policy, int failed_attempts, std::uint64_t seed) noexcept;

struct retry_decision {
  milliseconds delay{0};
  error_class what = error_class::unknown;
};

/// None: the failure is final. Otherwise the larger of computed_delay and suggested_backoff. By the class of the error:
/// permanent: none; retryable: up to policy.max_attempts calls in all; unknown and degraded: two calls in all, and no
/// more than policy.max_attempts. None also where the pause would end later than policy.total after the first attempt.
std::optional<retry_decision> decide_retry(const retry_policy& policy,
                                           const error& why,
                                           int failed_attempts,
                                           std::uint64_t seed,
                                           milliseconds elapsed_since_first) noexcept;

}  // namespace troupe
