// What depends on several settings.
#include "config/config_layers.hpp"
#include "config/http_agents.hpp"
#include "config/toml_text.hpp"
#include "messages/base/json_text.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace troupe {
namespace {

// What each attempt is told (contract, section 4).
constexpr std::array<std::string_view, 7> set_for_agents{"TROUPE_RUN_ID",
                                                         "TROUPE_STEP_ID",
                                                         "TROUPE_SUBJECT",
                                                         "TROUPE_ATTEMPT",
                                                         "TROUPE_IDEMPOTENCY_KEY",
                                                         "TROUPE_DATABASE",
                                                         "TROUPE_PROMPT_FILE"};
constexpr std::array<std::string_view, 5> for_commands{"command", "prompt", "env", "pass_env", "ok_exit"};
constexpr std::array<std::string_view, 6> for_http{
    "endpoint", "api_key_env", "headers", "stream", "max_tokens", "connect_timeout"};
constexpr std::array<std::string_view, 5> secret_endings{"_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_CREDENTIALS"};

std::string quoted(std::string_view name) { return '\'' + std::string{name} + '\''; }

std::string variable_path(const std::string& agent_path, const std::string& name) { return agent_path + "env." + name; }

bool is_utf8(const toml_node& node) {
  if (const auto* text = node.as<std::string>()) {
    return repair_utf8(*text) == *text;
  }
  if (const auto* list = node.as<toml_list>()) {
    return std::all_of(list->begin(), list->end(), is_utf8);
  }
  const auto* table = node.as<toml_table>();
  return table == nullptr || std::all_of(table->members.begin(), table->members.end(), [](const toml_member& each) {
           return is_utf8(toml_node{each.key}) && is_utf8(each.value);
         });
}

class settings_checker {
 public:
  settings_checker(const source_map& positions, std::vector<problem>& out) : positions_(positions), out_(out) {}

  void check(const settings& values) {
    if (values.writer.max_batch > values.writer.queue_depth) {
      error("writer.max_batch",
            "'max_batch' is larger than 'queue_depth': a batch cannot be filled",
            "raise writer.queue_depth to " + std::to_string(values.writer.max_batch) + " or more");
    }
    check_retry(values.retry.agent, "retry.agent");
    check_retry(values.retry.storage, "retry.storage");
    for (const auto& [name, provider] : values.providers) {
      check_provider(provider, values.agents);
    }
    for (const auto& [name, agent] : values.agents) {
      check_agent(agent, "agents." + name.str() + '.');
    }
  }

 private:
  void check_retry(const retry_policy& policy, const std::string& path) {
    if (policy.max < policy.initial) {
      error(path + ".max",
            "'max' is " + to_text(policy.max) + ", less than 'initial', which is " + to_text(policy.initial),
            "raise max, or lower initial");
    }
  }

  void check_provider(const provider_spec& provider, const std::map<agent_name, agent_spec>& agents) {
    const std::string path = "providers." + provider.name.str();
    if (provider.breaker.min_calls > provider.breaker.window) {
      error(path + ".breaker.min_calls",
            "'min_calls' is larger than 'window': the breaker would never open",
            "raise window to " + std::to_string(provider.breaker.min_calls) + " or more");
    }
    const bool is_named = std::any_of(
        agents.begin(), agents.end(), [&](const auto& each) { return each.second.provider == provider.name.str(); });
    if (!is_named) {
      warn(path,
           "no agent names the provider '" + provider.name.str() + "': its limits have no effect",
           "set provider = \"" + provider.name.str() + "\" in the agents that it is for");
    }
  }

  void check_agent(const agent_spec& agent, const std::string& path) {
    const bool is_command = agent.kind == agent_kind::command;
    if (!is_command && !agent.adapter.empty()) {
      error(path + "adapter", "'adapter' has no use for an agent of kind \"http\"", "take it out");
    }
    if (is_command && agent.command.empty()) {
      error(path + "command",
            "agent '" + agent.name.str() + "' has no command",
            "add command = [\"program\", \"argument\"], or an adapter");
    }
    if (!is_command) {
      for (auto& fault : faults_of_http_agent(agent)) {
        error(path + fault.key, std::move(fault.message), std::move(fault.hint));
      }
    }
    refuse_keys_of_other_kind(agent, path);
    if (agent.parse == output_format::text && !agent.require.empty()) {
      error(path + "require", "'require' has no use where parse is \"text\"", "set parse = \"json\"");
    }
    check_variables(agent, path);
    check_encoding(agent, path);
  }

  // A value that is the default says nothing, and stands in every pinned configuration.
  void refuse_keys_of_other_kind(const agent_spec& agent, const std::string& path) {
    const bool is_command = agent.kind == agent_kind::command;
    const agent_spec plain;
    for (const auto& key : agent_keys()) {
      std::span<const std::string_view> others = for_commands;
      if (is_command) {
        others = for_http;
      }
      const bool is_of_other = std::ranges::find(others, key.name) != others.end();
      if (is_of_other && toml_value(key.write(agent)) != toml_value(key.write(plain))) {
        error(path + std::string{key.name},
              quoted(key.name) + " has no use for an agent of kind " + (is_command ? "\"command\"" : "\"http\""),
              key.name == "api_key_env" ? "name the variable in pass_env" : "take it out");
      }
    }
  }

  // A run keeps its agents as TOML, which is UTF-8: anything else would come back as other bytes.
  void check_encoding(const agent_spec& agent, const std::string& path) {
    for (const auto& key : agent_keys()) {
      if (!is_utf8(key.write(agent))) {
        error(path + std::string{key.name},
              quoted(key.name) + " of agent '" + agent.name.str() + "' is not UTF-8: a run could not keep it",
              key.name == "cwd" ? "set cwd to a folder whose path is UTF-8" : "write it in UTF-8");
      }
    }
  }

  void check_variables(const agent_spec& agent, const std::string& path) {
    for (const auto& [name, value] : agent.environment) {
      for (const auto taken : set_for_agents) {
        if (name == taken) {
          error(variable_path(path, name), quoted(name) + " is set by Troupe for each attempt", "take it out");
        }
      }
      for (const auto ending : secret_endings) {
        if (name.ends_with(ending) && !value.empty()) {
          warn(variable_path(path, name),
               quoted(name) + " looks like a secret that is written into the configuration",
               "set it in the environment of Troupe and name it in pass_env");
        }
      }
    }
  }

  void error(const std::string& key, std::string message, std::string hint) {
    add(problem::severity::error, key, std::move(message), std::move(hint));
  }

  void warn(const std::string& key, std::string message, std::string hint) {
    add(problem::severity::warning, key, std::move(message), std::move(hint));
  }

  void add(problem::severity weight, const std::string& key, std::string message, std::string hint) {
    out_.push_back(
        {weight, error_code::invalid_config, positions_.find(key), key, std::move(message), std::move(hint)});
  }

  const source_map& positions_;
  std::vector<problem>& out_;
};

}  // namespace

void check_settings(const settings& values, const source_map& positions, std::vector<problem>& out) {
  settings_checker{positions, out}.check(values);
}

}  // namespace troupe
