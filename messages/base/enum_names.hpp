// Enumerations that are stored by name: the names in the order of the enumerators, from 0 without gaps.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe {

template <class Enum, std::size_t N>
constexpr std::string_view name_in(const std::array<std::string_view, N>& names, Enum value) noexcept {
  const auto place = static_cast<std::size_t>(value);
  return place < N ? names[place] : std::string_view{};
}

template <class Enum, std::size_t N>
constexpr std::optional<Enum> value_in(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  const auto* found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional{static_cast<Enum>(found - names.begin())};
}

}  // namespace troupe
