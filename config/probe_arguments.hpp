// What the probes of the contract, section 3, take.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace troupe {

/// `arguments` of each table of `args`, in the order in which they are shown; unused places are empty.
struct probe_arguments {
  std::string_view probe;
  std::array<std::string_view, 5> arguments;
};

inline constexpr std::array<probe_arguments, 12> known_probes{{
    {"probe.set", {"field", "value"}},
    {"probe.append", {"field", "value"}},
    {"probe.add", {"field", "value"}},
    {"probe.sleep", {"ms", "cooperative", "field", "value"}},
    {"probe.fail", {"times", "class", "message", "retry_after_ms"}},
    {"probe.echo", {"text", "field", "value"}},
    {"probe.log", {"bytes", "field", "value"}},
    {"probe.expect", {"path", "eq", "field", "value"}},
    {"probe.rng", {"field", "draws"}},
    {"probe.usage", {"model", "input_tokens", "output_tokens", "field", "value"}},
    {"probe.route", {"to"}},
    {"probe.crash", {"point", "on_attempt", "field", "value"}},
}};

constexpr bool takes(const probe_arguments& probe, std::string_view argument) {
  return !argument.empty() &&
         std::find(probe.arguments.begin(), probe.arguments.end(), argument) != probe.arguments.end();
}

/// `field, value`
inline std::string listed(const probe_arguments& probe) {
  std::string all;
  for (const auto name : probe.arguments) {
    all += (all.empty() || name.empty() ? "" : ", ") + std::string{name};
  }
  return all;
}

}  // namespace troupe
