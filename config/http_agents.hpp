// What is to be said of agents over HTTP when a configuration is checked.
#pragma once

#include "config/load.hpp"
#include "messages/agent.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// A mistake in one agent's table.
struct agent_fault {
  std::string key;  ///< In that table: `endpoint`, `headers.X-Title`.
  std::string message;
  std::string hint;
};

/// What is missing, or must not be. Pure; for kind http only.
std::vector<agent_fault> faults_of_http_agent(const agent_spec& agent);

/// Warnings for keys that api_key_env names and `environment` does not have.
std::vector<problem> check_keys(const loaded_config& config, const std::map<std::string, std::string>& environment);

}  // namespace troupe
