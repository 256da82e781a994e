#include "messages/cost.hpp"

#include "messages/base/enum_names.hpp"

#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 3> sources{"reported", "estimated", "unknown"};

}  // namespace

std::string_view to_string(cost_source source) noexcept { return name_in(sources, source); }

std::optional<cost_source> cost_source_from(std::string_view name) noexcept {
  return value_in<cost_source>(sources, name);
}

}  // namespace troupe
