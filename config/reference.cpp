#include "config/reference.hpp"

#include "config/config_layers.hpp"
#include "config/setting_key.hpp"
#include "config/toml_text.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr std::size_t width = 100;

std::string_view table_of(std::string_view name) { return name.substr(0, name.find('.')); }

// `text` in lines that start with `#`.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  while (!text.empty()) {
    const auto cut = text.find(' ');
    const auto word = text.substr(0, cut);
    if (line.size() + 1 + word.size() > width) {
      out += std::exchange(line, "#") + '\n';
    }
    line += ' ' + std::string{word};
    text = cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1);
  }
  return out + line + '\n';
}

std::string key_lines(const setting_facts& facts, std::string_view name, const std::string& value) {
  return comment(std::string{facts.doc} + " (" + type_text(facts) + ')') + '#' + std::string{name} + " = " + value +
         "\n";
}

constexpr std::string_view head =
    "# Settings of Troupe. Every key is here with its default; take the '#' off a line to change it.\n"
    "# Layers, later wins: defaults, $XDG_CONFIG_HOME/troupe/troupe.toml (or ~/.config), ./troupe.toml,\n"
    "# --config FILE, variables like TROUPE_WRITER__MAX_BATCH, --set KEY=VALUE.\n"
    "# `troupe config show` prints each value and where it comes from.\n\n"
    "config_version = 1\n";

constexpr std::string_view provider_head =
    "\n# A provider is whoever limits several agents at once; agents name it. Take the '#' off this line to limit "
    "one.\n"
    "#[providers.NAME]\n";

constexpr std::string_view price_head =
    "\n# What a model costs, by the name that agents have or report; take the '#' off all three lines.\n"
    "#[prices.\"MODEL\"]\n";

// An agent as people start: the rest of its keys below it.
constexpr std::string_view agent_head =
    "\n# An agent is a program; a workflow names it. Take the '#' off this line and the command to have one.\n"
    "#[agents.NAME]\n";

}  // namespace

std::string default_text(const setting_facts& facts, const toml_node& value) {
  return facts.shown_default.data() == nullptr ? toml_value(value) : toml_string(facts.shown_default);
}

std::vector<shown_setting> show_settings(const loaded_config& config) {
  std::vector<shown_setting> out;
  const auto add = [&](std::string key, const toml_node& value) {
    const auto origin = config.origins.find(key);
    std::string from = origin == config.origins.end() ? "default" : origin->second;
    out.push_back({std::move(key), toml_value(value), to_json(value), std::move(from)});
  };
  add("config_version", toml_node{std::int64_t{config_version}});
  for (const auto& key : settings_keys()) {
    add(std::string{key.name}, key.write(*config.values));
  }
  for (const auto& [name, provider] : config.values->providers) {
    for (const auto& key : provider_keys()) {
      add("providers." + name.str() + '.' + std::string{key.name}, key.write(provider));
    }
  }
  for (const auto& [model, price] : config.values->prices) {
    for (const auto& key : price_keys()) {
      add(path_of_price(model) + '.' + std::string{key.name}, key.write(price));
    }
  }
  for (const auto& [name, adapter] : config.adapters) {
    for (const auto& key : agent_keys()) {
      if (auto full = "adapters." + name + '.' + std::string{key.name}; config.origins.contains(full)) {
        add(std::move(full), key.write(adapter));
      }
    }
  }
  for (const auto& [name, agent] : config.values->agents) {
    for (const auto& key : agent_keys()) {
      add("agents." + name.str() + '.' + std::string{key.name}, key.write(agent));
    }
  }
  return out;
}

std::vector<shown_setting> show_adapter(const agent_spec& adapter) {
  const agent_spec defaults;
  std::vector<shown_setting> out;
  for (const auto& key : agent_keys()) {
    const auto value = key.write(adapter);
    auto text = toml_value(value);
    if (is_adapters_key(key.name) && text != toml_value(key.write(defaults))) {
      out.push_back({std::string{key.name}, std::move(text), to_json(value), {}});
    }
  }
  return out;
}

std::string reference_toml() {
  std::string out{head};
  std::string_view table;
  for (const auto& key : settings_keys()) {
    if (table_of(key.name) != table) {
      table = table_of(key.name);
      out += "\n[" + std::string{table} + "]\n";
    }
    out += key_lines(key, key.name.substr(table.size() + 1), default_text(key, key.write(settings{})));
  }
  out += provider_head;
  for (const auto& key : provider_keys()) {
    out += key_lines(key, key.name, default_text(key, key.write(provider_spec{})));
  }
  out += price_head;
  for (const auto& key : price_keys()) {
    out += key_lines(key, key.name, default_text(key, key.write(token_price{})));
  }
  out += agent_head;
  for (const auto& key : agent_keys()) {
    out += key_lines(key, key.name, default_text(key, key.write(agent_spec{})));
  }
  return out;
}

}  // namespace troupe
