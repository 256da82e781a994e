#include "messages/gate.hpp"

#include "messages/base/enum_names.hpp"

#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 2> kinds{"step", "crash"};
constexpr std::array<std::string_view, 5> states{"open", "approved", "rejected", "expired", "cancelled"};
constexpr std::array<std::string_view, 2> choices{"approved", "rejected"};
constexpr std::array<std::string_view, 4> policies{"approve", "reject", "escalate", "fail"};

}  // namespace

std::string_view to_string(gate_kind kind) noexcept { return name_in(kinds, kind); }
std::string_view to_string(gate_state state) noexcept { return name_in(states, state); }
std::string_view to_string(gate_choice choice) noexcept { return name_in(choices, choice); }
std::string_view to_string(expiry_policy policy) noexcept { return name_in(policies, policy); }

std::optional<gate_kind> gate_kind_from(std::string_view name) noexcept { return value_in<gate_kind>(kinds, name); }
std::optional<gate_state> gate_state_from(std::string_view name) noexcept { return value_in<gate_state>(states, name); }
std::optional<gate_choice> gate_choice_from(std::string_view name) noexcept {
  return value_in<gate_choice>(choices, name);
}
std::optional<expiry_policy> expiry_policy_from(std::string_view name) noexcept {
  return value_in<expiry_policy>(policies, name);
}

}  // namespace troupe
