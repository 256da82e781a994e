#include "messages/maintenance.hpp"

#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<vacuum_reason, std::string_view>, 3> reasons{
    {{vacuum_reason::threshold, "threshold"}, {vacuum_reason::daily, "daily"}, {vacuum_reason::manual, "manual"}}};

}  // namespace

std::string_view to_string(vacuum_reason reason) noexcept {
  for (const auto& [known, name] : reasons) {
    if (known == reason) {
      return name;
    }
  }
  return "?";
}

std::optional<vacuum_reason> vacuum_reason_from(std::string_view name) noexcept {
  for (const auto& [reason, known] : reasons) {
    if (known == name) {
      return reason;
    }
  }
  return std::nullopt;
}

}  // namespace troupe
