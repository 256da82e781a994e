// [providers.NAME] in the layers of configuration.
#include "config/config_layers.hpp"

#include <string>
#include <string_view>

namespace troupe {

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
  const auto* members = table_in(provider, path, "", sink);
  if (members == nullptr) {
    return;
  }
  const provider_name name{provider.key};
  provider_spec& spec = values_.providers[name];
  spec.name = name;
  note_first(path, provider.at, from);
  const auto any = [](std::string_view) { return true; };
  apply_keys(provider_keys(), any, spec, *members, path, from, sink);
}

void config_layers::note_provider_defaults() {
  for (const auto& [name, provider] : values_.providers) {
    for (const auto& key : provider_keys()) {
      out_.origins.try_emplace("providers." + name.str() + '.' + std::string{key.name}, "default");
    }
  }
}

}  // namespace troupe
