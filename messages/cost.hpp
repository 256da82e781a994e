// What attempts cost, and what they may.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Where an amount comes from. Stored by name in costs.source: never rename.
enum class cost_source {
  reported,   ///< Tokens as the agent reported them, at the price of the configuration.
  estimated,  ///< Tokens as Troupe estimated them.
  unknown,    ///< There is no price for the model: no amount, and never taken for 0 in silence.
};

std::string_view to_string(cost_source source) noexcept;
std::optional<cost_source> cost_source_from(std::string_view name) noexcept;

/// Of one attempt: a row of costs.
struct attempt_cost {
  std::string model;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<std::int64_t> microusd;  ///< None exactly when the source is unknown.
  cost_source source = cost_source::unknown;
};

}  // namespace troupe
