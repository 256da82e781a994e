#include "messages/supervision.hpp"

namespace troupe {

std::string_view to_string(child_state state) noexcept {
  switch (state) {
    case child_state::running:
      return "running";
    case child_state::stopping:
      return "stopping";
    case child_state::restarting:
      return "restarting";
    case child_state::ended:
      return "ended";
  }
  return "?";
}

const child_view* find_child(const std::vector<child_view>& children, std::string_view name) noexcept {
  for (const auto& each : children) {
    if (each.name == name) {
      return &each;
    }
    if (const auto* const below = find_child(each.children, name)) {
      return below;
    }
  }
  return nullptr;
}

}  // namespace troupe
