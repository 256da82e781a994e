// [providers.NAME] in the layers of configuration.
#include "config/config_layers.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

const setting_facts* find_provider_key(std::string_view name) noexcept {
  const auto keys = provider_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

void config_layers::apply_providers(const toml_member& providers, const origin& from, problem_sink& sink) {
  const auto* members = providers.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(providers.value.begin, providers.key, "'providers' must be a table; write [providers.NAME]");
    return;
  }
  for (const auto& member : members->members) {
    if (is_name(member.key)) {
      apply_provider(member, from, sink);
    } else {
      sink.error(member.at,
                 "providers." + member.key,
                 "'" + member.key + "' is not the name of a provider",
                 std::string{name_rule});
    }
  }
}

void config_layers::apply_provider(const toml_member& provider, const origin& from, problem_sink& sink) {
  const std::string path = "providers." + provider.key;
  const auto* members = provider.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(provider.value.begin,
               path,
               "'" + path + "' must be a table; this is " + std::string{kind_name(provider.value)});
    return;
  }
  const provider_name name{provider.key};
  provider_spec& spec = values_.providers[name];
  spec.name = name;
  if (!out_.positions.contains(path)) {
    note(path, provider.at, from);
  }
  const auto keys = provider_keys();
  for (const auto& member : members->members) {
    const std::string full_key = path + '.' + member.key;
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.name == member.key; });
    if (key == keys.end()) {
      std::vector<std::string> names;
      for (const auto& each : keys) {
        names.emplace_back(each.name);
      }
      sink.error(member.at, full_key, "unknown key '" + member.key + "'", suggestion(member.key, names));
    } else if (key->read(spec, *key, {member.value, full_key, sink}, from.paths)) {
      note(full_key, member.value.begin, from);
      note_members(full_key, member.value, from);
    }
  }
}

void config_layers::note_provider_defaults() {
  for (const auto& [name, provider] : values_.providers) {
    for (const auto& key : provider_keys()) {
      out_.origins.try_emplace("providers." + name.str() + '.' + std::string{key.name}, "default");
    }
  }
}

}  // namespace troupe
