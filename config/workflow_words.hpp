// How the enums of a workflow are spelled in its file, in the order of their values.
#pragma once

#include "messages/workflow.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace troupe {

inline constexpr std::array<std::string_view, 8> reducer_words{
    "fail", "last", "append", "union", "sum", "min", "max", "merge"};
inline constexpr std::array<std::string_view, 3> crash_words{"retry", "fail", "ask"};
inline constexpr std::array<std::string_view, 3> effect_words{"none", "idempotent", "external"};
inline constexpr std::array<std::string_view, 4> strategy_words{"collect", "race", "vote", "aggregate"};
inline constexpr std::array<std::string_view, 8> comparison_words{"eq", "ne", "gt", "ge", "lt", "le", "exists", "in"};
inline constexpr std::array<std::string_view, 4> expiry_words{"approve", "reject", "escalate", "fail"};

/// What the answer of an aggregator has to have unless the step says otherwise, and what it is asked for by default.
inline constexpr std::array<std::string_view, 2> required_words{"/agreements", "/conflicts"};

template <std::size_t N, class Enum>
constexpr std::string_view word_of(const std::array<std::string_view, N>& words, Enum value) {
  return words.at(static_cast<std::size_t>(value));
}

}  // namespace troupe
