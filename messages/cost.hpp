// What attempts cost, and what they may.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// An amount in USD, exact to a millionth.
struct money {
  std::int64_t microusd = 0;

  friend auto operator<=>(const money&, const money&) = default;
};

/// What a model costs, each for a million tokens.
struct token_price {
  money input;
  money output;

  friend bool operator==(const token_price&, const token_price&) = default;
};

/// By the name of the model, as agents report it or are configured for it.
using price_table = std::map<std::string, token_price>;

/// What a budget is of. Stored by name in budgets.scope: never rename.
enum class budget_scope {
  run,      ///< A run and its child runs.
  subject,  ///< All runs about one subject.
  day,      ///< All runs of one day (UTC).
};

/// Stored by name in budgets.unit: never rename.
enum class budget_unit {
  microusd,
  tokens,        ///< Input and output together.
  microseconds,  ///< That attempts took, all of them added up.
};

inline constexpr std::array all_budget_units{budget_unit::microusd, budget_unit::tokens, budget_unit::microseconds};

std::string_view to_string(budget_scope scope) noexcept;
std::string_view to_string(budget_unit unit) noexcept;
std::optional<budget_scope> budget_scope_from(std::string_view name) noexcept;
std::optional<budget_unit> budget_unit_from(std::string_view name) noexcept;

/// What may be used up in all. None: no limit.
struct budget_limits {
  std::optional<std::int64_t> microusd{};
  std::optional<std::int64_t> tokens{};
  std::optional<std::chrono::microseconds> time{};

  friend bool operator==(const budget_limits&, const budget_limits&) = default;
};

/// As a number of that unit.
std::optional<std::int64_t> limit_of(const budget_limits& limits, budget_unit unit) noexcept;

/// What the attempts of any one subject, and of any one day, may use up in all.
struct budget_ceilings {
  budget_limits subject{};
  budget_limits day{};

  friend bool operator==(const budget_ceilings&, const budget_ceilings&) = default;
};

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
