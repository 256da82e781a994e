#include "config/pin.hpp"

#include "config/setting_key.hpp"
#include "config/toml_text.hpp"
#include "messages/base/sha256.hpp"

#include <utility>

namespace troupe {
namespace {

template <class Spec>
toml_table table_of(const Spec& spec, std::span<const setting_key<Spec>> keys) {
  toml_table table;
  for (const auto& key : keys) {
    if (key.name != adapter_key) {  // what it stands for is in the other keys, and may be another tomorrow
      table.members.push_back({std::string{key.name}, {}, key.write(spec)});
    }
  }
  return table;
}

toml_table& table_named(toml_table& root, std::string_view name) {
  for (auto& member : root.members) {
    if (member.key == name) {
      return std::get<toml_table>(member.value.value);
    }
  }
  root.members.push_back({std::string{name}, {}, toml_node{toml_table{}}});
  return std::get<toml_table>(root.members.back().value.value);
}

// Everything, nested as in the file.
toml_table tree_of(const settings& values) {
  toml_table root;
  root.members.push_back({"config_version", {}, toml_node{std::int64_t{config_version}}});
  for (const auto& key : settings_keys()) {
    const auto dot = key.name.find('.');
    auto& table = table_named(root, key.name.substr(0, dot));
    table.members.push_back({std::string{key.name.substr(dot + 1)}, {}, key.write(values)});
  }
  if (!values.providers.empty()) {
    auto& providers = table_named(root, "providers");
    for (const auto& [name, provider] : values.providers) {
      providers.members.push_back({name.str(), {}, toml_node{table_of(provider, provider_keys())}});
    }
  }
  if (!values.prices.empty()) {
    auto& prices = table_named(root, "prices");
    for (const auto& [model, price] : values.prices) {
      prices.members.push_back({model, {}, toml_node{table_of(price, price_keys())}});
    }
  }
  auto& agents = table_named(root, "agents");
  for (const auto& [name, agent] : values.agents) {
    agents.members.push_back({name.str(), {}, toml_node{table_of(agent, agent_keys())}});
  }
  return root;
}

// Of the first line. A comment, so that no key of the format stands for what no file may set.
constexpr std::string_view playback_line = "# played_from = ";

void append_table(std::string& out, const std::string& header, const toml_table& table) {
  out += "\n[" + header + "]\n";
  for (const auto& member : table.members) {
    out += toml_key(member.key) + " = ";
    append_toml(out, member.value);
    out += '\n';
  }
}

}  // namespace

std::string to_toml(const settings& values) {
  std::string out;
  for (const auto& member : tree_of(values).members) {
    const auto* table = member.value.as<toml_table>();
    if (table == nullptr) {
      out += member.key + " = " + toml_value(member.value) + '\n';
    } else if (member.key == "agents" || member.key == "providers" || member.key == "prices") {
      for (const auto& each : table->members) {
        append_table(out, member.key + '.' + toml_key(each.key), *each.value.as<toml_table>());
      }
    } else {
      append_table(out, member.key, *table);
    }
  }
  return out;
}

std::string to_toml(const settings& values, const std::string& played_from) {
  return std::string{playback_line} + toml_string(played_from) + '\n' + to_toml(values);
}

std::optional<std::string> played_from(std::string_view pinned) {
  if (!pinned.starts_with(playback_line)) {
    return std::nullopt;
  }
  constexpr std::size_t sign = 2;  // of a comment
  const auto line = std::string{pinned.substr(sign, pinned.find('\n') - sign)};
  const auto document = parse_toml(line, "", error_code::invalid_config);
  const auto* folder = document.root.members.empty() ? nullptr : document.root.members.front().value.as<std::string>();
  return folder == nullptr ? std::nullopt : std::optional{*folder};
}

json_text canonical_json(const settings& values) { return to_json(toml_node{tree_of(values)}); }

std::string config_hash(const settings& values) { return "sha256:" + sha256_hex(canonical_json(values).str()); }

}  // namespace troupe
