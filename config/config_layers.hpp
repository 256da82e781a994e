// Lays the layers of configuration over each other, from the lowest up. Used by load_config only.
#pragma once

#include "config/load.hpp"
#include "config/setting_key.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

class config_layers {
 public:
  /// `sources` outlives this.
  explicit config_layers(const config_sources& sources);

  void add_file(const config_file& file);
  /// Below every layer: what is built in.
  void start_from(const adapter_map& adapters);
  void add_environment();
  void add_assignment(const std::string& assignment);

  /// Fills in what depends on the machine, checks what depends on several keys, and hands all over.
  loaded_config finish();

 private:
  /// Where the values of a layer come from.
  struct origin {
    std::string name;  ///< A file's path, `environment TROUPE_X`, `--set KEY`.
    path_context paths;
    bool has_lines = false;
  };

  using key_path = std::vector<std::string>;

  void add_variable(const std::string& name, const std::string& text);
  void apply(const toml_table& root, const origin& from, problem_sink& sink);
  void apply_version(const toml_value_ref& value, const origin& from);
  void apply_table(const toml_member& table, const origin& from, problem_sink& sink);
  void apply_agents(const toml_member& agents, const origin& from, problem_sink& sink);
  void apply_agent(const toml_member& agent, const std::string& path, const origin& from, problem_sink& sink);
  void apply_providers(const toml_member& providers, const origin& from, problem_sink& sink);
  void apply_provider(const toml_member& provider, const origin& from, problem_sink& sink);
  void apply_prices(const toml_member& prices, const origin& from, problem_sink& sink);
  void apply_price(const toml_member& price, const origin& from, problem_sink& sink);
  void check_prices();
  /// The members of the table `path`, each by its key. `is_allowed` says which of the keys this table has.
  template <class Spec, class IsAllowed>
  void apply_keys(std::span<const setting_key<Spec>> keys,
                  IsAllowed is_allowed,
                  Spec& into,
                  const toml_table& table,
                  const std::string& path,
                  const origin& from,
                  problem_sink& sink);
  void apply_text(const key_path& path, const std::string& text, const std::string& origin_name);
  void take_from_adapters();
  void take_from_adapter(agent_spec& agent, const agent_spec& adapter);
  void check_adapters();
  void set_default_paths();

  void note(const std::string& key, toml_place at, const origin& from);
  void note_first(const std::string& key, toml_place at, const origin& from);
  void note_members(const std::string& key, const toml_node& value, const origin& from);
  void note_defaults();
  void note_provider_defaults();
  void keep(std::vector<problem> found);
  void take(problem_sink& sink);
  /// Whether the keys that `found` is about were refused one by one already.
  bool is_consequence(const problem& found) const;
  std::string variable(const std::string& name) const;
  path_context paths_from(const std::string& folder) const;

  const config_sources& sources_;
  settings values_;
  loaded_config out_;
};

/// Null: there is no such key.
template <class Owner>
const setting_key<Owner>* find_key(std::span<const setting_key<Owner>> keys, std::string_view name) noexcept {
  const auto found = std::ranges::find(keys, name, [](const auto& key) { return key.name; });
  return found == keys.end() ? nullptr : &*found;
}

/// `[agents.NAME]` and its like. Refused where `member` is no table; null then.
const toml_table* table_in(const toml_member& member, const std::string& path, std::string hint, problem_sink& sink);

template <class Spec, class IsAllowed>
void config_layers::apply_keys(std::span<const setting_key<Spec>> keys,
                               IsAllowed is_allowed,
                               Spec& into,
                               const toml_table& table,
                               const std::string& path,
                               const origin& from,
                               problem_sink& sink) {
  for (const auto& member : table.members) {
    const std::string full_key = path + '.' + member.key;
    const auto* key = is_allowed(member.key) ? find_key(keys, member.key) : nullptr;
    if (key == nullptr) {
      std::vector<std::string> names;
      for (const auto& each : keys) {
        if (is_allowed(each.name)) {
          names.emplace_back(each.name);
        }
      }
      sink.error(member.at, full_key, "unknown key '" + member.key + "'", suggestion(member.key, names));
    } else if (key->read(into, *key, {member.value, full_key, sink}, from.paths)) {
      note(full_key, member.value.begin, from);
      note_members(full_key, member.value, from);
    }
  }
}

/// What depends on several keys. Pure.
void check_settings(const settings& values, const source_map& positions, std::vector<problem>& out);

/// Whether the rules by which the output of an agent is read can be followed. `path` is that of its table.
void check_reading(const agent_spec& agent,
                   const std::string& path,
                   const source_map& positions,
                   std::vector<problem>& out);

/// Of the key tables; null if there is no such key. An agent's key is the part behind its name.
const setting_facts* find_settings_key(std::string_view name) noexcept;
const setting_facts* find_agent_key(std::string_view name) noexcept;
const setting_facts* find_provider_key(std::string_view name) noexcept;
const setting_facts* find_price_key(std::string_view name) noexcept;

/// `prices."gpt-4.1"`: a model's name is quoted where TOML wants that.
std::string path_of_price(std::string_view model);

}  // namespace troupe
