// What may be asked of a provider of models, as [providers.NAME] says it. Requirements RT-4 and RT-5.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <cstdint>

namespace troupe {

/// When a provider is asked no more for a while.
struct breaker_spec {
  int window = 100;           ///< The last outcomes that are looked at.
  int min_calls = 10;         ///< Fewer outcomes than this say nothing.
  double failure_rate = 0.5;  ///< Opens at this part of failures, or more.
  int consecutive = 0;        ///< Opens at so many failures in a row, however few calls there were; 0: never by this.
  milliseconds open_for{30'000};

  friend bool operator==(const breaker_spec&, const breaker_spec&) = default;
};

/// 0: no limit.
struct provider_spec {
  provider_name name;
  int max_concurrent = 0;
  std::int64_t requests_per_minute = 0;
  std::int64_t input_tokens_per_minute = 0;
  std::int64_t output_tokens_per_minute = 0;
  std::int64_t requests_per_day = 0;  ///< Of the UTC day.
  breaker_spec breaker;
};

}  // namespace troupe
