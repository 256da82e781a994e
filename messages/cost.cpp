#include "messages/cost.hpp"

#include "messages/base/enum_names.hpp"

#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 3> sources{"reported", "estimated", "unknown"};
constexpr std::array<std::string_view, 3> scopes{"run", "subject", "day"};
constexpr std::array<std::string_view, 3> units{"microusd", "tokens", "microseconds"};

}  // namespace

std::string_view to_string(cost_source source) noexcept { return name_in(sources, source); }

std::optional<cost_source> cost_source_from(std::string_view name) noexcept {
  return value_in<cost_source>(sources, name);
}

std::string_view to_string(budget_scope scope) noexcept { return name_in(scopes, scope); }

std::string_view to_string(budget_unit unit) noexcept { return name_in(units, unit); }

std::optional<budget_scope> budget_scope_from(std::string_view name) noexcept {
  return value_in<budget_scope>(scopes, name);
}

std::optional<budget_unit> budget_unit_from(std::string_view name) noexcept {
  return value_in<budget_unit>(units, name);
}

std::optional<std::int64_t> limit_of(const budget_limits& limits, budget_unit unit) noexcept {
  switch (unit) {
    case budget_unit::microusd:
      return limits.microusd;
    case budget_unit::tokens:
      return limits.tokens;
    case budget_unit::microseconds:
      return limits.time ? std::optional{limits.time->count()} : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace troupe
