// What an agent may begin from: how a program of its kind is called, and how its output is read.
#pragma once

#include "messages/agent.hpp"

#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// By name. Each as an agent that gives no name, kind or adapter.
using adapter_map = std::map<std::string, agent_spec>;

/// Those of config/adapters.toml, the lowest layer of a configuration.
const adapter_map& builtin_adapters();

/// config/adapters.toml, as it was when this was built.
std::string_view builtin_adapters_text() noexcept;

}  // namespace troupe
