// How often, and after which pauses, something that failed is tried again.
#pragma once

#include "messages/base/time.hpp"

#include <optional>

namespace troupe {

/// The pause before attempt n+1 is min(initial * multiplier^(n-1), max), spread over [1 - jitter/2, 1 + jitter/2] of it.
/// The defaults are those of agents.
struct retry_policy {
  int max_attempts = 3;  ///< Calls in all.
  milliseconds initial{1'000};
  milliseconds max{16'000};
  double multiplier = 2.0;
  double jitter = 0.5;
  std::optional<milliseconds> total;  ///< No attempt begins later than this after the first one.

  friend bool operator==(const retry_policy&, const retry_policy&) = default;
};

}  // namespace troupe
