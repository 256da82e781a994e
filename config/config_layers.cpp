#include "config/config_layers.hpp"

#include "config/file_text.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view version_key = "config_version";

// Tables of the format that this version has no use for.
constexpr std::array<std::string_view, 8> refused_tables{
    "evidence", "cleanup", "http", "metrics", "tracing", "reload", "auth", "policy"};

std::string_view table_of(std::string_view name) { return name.substr(0, name.find('.')); }

std::string_view last_of(std::string_view name) { return name.substr(name.find('.') + 1); }

std::vector<std::string> known_tables() {
  std::vector<std::string> names{"agents", "adapters", "providers", "prices", std::string{version_key}};
  for (const auto& key : settings_keys()) {
    if (std::find(names.begin(), names.end(), table_of(key.name)) == names.end()) {
      names.emplace_back(table_of(key.name));
    }
  }
  return names;
}

bool is_table(std::string_view name) {
  const auto keys = settings_keys();
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return table_of(key.name) == name; });
}

// What an unknown key was probably meant to be: a name of its own table first, then the same name in another one.
std::string key_suggestion(std::string_view table, const std::string& key) {
  std::vector<std::string> own;
  std::string elsewhere;
  for (const auto& known : settings_keys()) {
    if (table_of(known.name) == table) {
      own.emplace_back(last_of(known.name));
    } else if (last_of(known.name) == key) {
      elsewhere = known.name;
    }
  }
  if (!elsewhere.empty() && !nearest_name(key, own)) {
    return "did you mean '" + elsewhere + "'?";
  }
  return suggestion(key, table.empty() ? known_tables() : own);
}

enum class keys_of { agents, adapters };

bool is_key_of(keys_of table, std::string_view name) { return table == keys_of::agents || is_adapters_key(name); }

}  // namespace

std::span<const std::string_view> later_tables() noexcept { return refused_tables; }

const setting_facts* find_settings_key(std::string_view name) noexcept { return find_key(settings_keys(), name); }

const setting_facts* find_agent_key(std::string_view name) noexcept { return find_key(agent_keys(), name); }

const setting_facts* find_provider_key(std::string_view name) noexcept { return find_key(provider_keys(), name); }

const setting_facts* find_price_key(std::string_view name) noexcept { return find_key(price_keys(), name); }

const toml_table* table_in(const toml_member& member, const std::string& path, std::string hint, problem_sink& sink) {
  const auto* table = member.value.as<toml_table>();
  if (table == nullptr) {
    sink.error(member.value.begin,
               path,
               "'" + path + "' must be a table; this is " + std::string{kind_name(member.value)},
               std::move(hint));
  }
  return table;
}

config_layers::config_layers(const config_sources& sources) : sources_(sources) {}

void config_layers::add_file(const config_file& file) {
  problem_sink sink{file.path, error_code::invalid_config};
  auto content = file.text ? file_text{file.text, false, {}} : read_file_text(file.path);
  if (!content.text) {
    if (file.required || !content.is_missing) {
      sink.error({}, {}, "cannot be read: " + content.why);
      take(sink);
    }
    return;
  }
  const auto document = parse_toml(*content.text, file.path, error_code::invalid_config);
  if (document.fault) {
    out_.problems.push_back(*document.fault);
    return;
  }
  const origin from{file.path, paths_from(std::filesystem::path{file.path}.parent_path().string()), true};
  apply(document.root, from, sink);
  take(sink);
}

void config_layers::apply(const toml_table& root, const origin& from, problem_sink& sink) {
  for (const auto& member : root.members) {
    if (member.key == version_key) {
      apply_version({member.value, member.key, sink}, from);
    } else if (member.key == "agents" || member.key == "adapters") {
      apply_agents(member, from, sink);
    } else if (member.key == "providers") {
      apply_providers(member, from, sink);
    } else if (member.key == "prices") {
      apply_prices(member, from, sink);
    } else if (is_table(member.key)) {
      apply_table(member, from, sink);
    } else if (std::find(refused_tables.begin(), refused_tables.end(), member.key) != refused_tables.end()) {
      sink.error(member.at, member.key, "this version does not read '" + member.key + "'", "take it out");
    } else {
      sink.error(member.at, member.key, "unknown key '" + member.key + "'", key_suggestion({}, member.key));
    }
  }
}

void config_layers::apply_version(const toml_value_ref& value, const origin& from) {
  const auto version = read_integer(value, {.min = 1});
  if (version && *version > config_version) {
    value.refuse("is " + std::to_string(*version) + ", but this version of Troupe knows formats up to " +
                     std::to_string(config_version),
                 "the file was written for a newer Troupe");
  } else if (version) {
    note(value.path, value.node.begin, from);
  }
}

void config_layers::apply_table(const toml_member& table, const origin& from, problem_sink& sink) {
  const auto hint = "write [" + table.key + "] on a line of its own, and its keys below";
  const auto* members = table_in(table, table.key, hint, sink);
  if (members == nullptr) {
    return;
  }
  for (const auto& member : members->members) {
    const std::string name = table.key + '.' + member.key;
    const auto* key = find_key(settings_keys(), name);
    if (key == nullptr) {
      sink.error(member.at, name, "unknown key '" + name + "'", key_suggestion(table.key, member.key));
    } else if (key->read(values_, *key, {member.value, name, sink}, from.paths)) {
      note(name, member.value.begin, from);
      note_members(name, member.value, from);
    }
  }
}

// [agents.NAME] and [adapters.NAME] alike.
void config_layers::apply_agents(const toml_member& agents, const origin& from, problem_sink& sink) {
  const bool is_adapters = agents.key == "adapters";
  const auto* members = agents.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(
        agents.value.begin, agents.key, '\'' + agents.key + "' must be a table; write [" + agents.key + ".NAME]");
    return;
  }
  for (const auto& member : members->members) {
    const std::string path = agents.key + '.' + member.key;
    if (!is_name(member.key)) {
      sink.error(member.at,
                 path,
                 '\'' + member.key + "' is not the name of an " + (is_adapters ? "adapter" : "agent"),
                 std::string{name_rule});
    } else {
      apply_agent(member, path, from, sink);
    }
  }
}

void config_layers::apply_agent(const toml_member& agent,
                                const std::string& path,
                                const origin& from,
                                problem_sink& sink) {
  const auto* members = table_in(agent, path, "", sink);
  if (members == nullptr) {
    return;
  }
  const auto table = path.starts_with("adapters.") ? keys_of::adapters : keys_of::agents;
  agent_spec& spec = table == keys_of::adapters ? out_.adapters[agent.key] : values_.agents[agent_name{agent.key}];
  spec.name = agent_name{agent.key};
  note_first(path, agent.at, from);
  const auto is_allowed = [&](std::string_view name) { return is_key_of(table, name); };
  apply_keys(agent_keys(), is_allowed, spec, *members, path, from, sink);
}

void config_layers::start_from(const adapter_map& adapters) { out_.adapters = adapters; }

void config_layers::take_from_adapters() {
  std::vector<std::string> names;
  for (const auto& [name, adapter] : out_.adapters) {
    names.push_back(name);
  }
  for (auto& [name, agent] : values_.agents) {
    const auto found = out_.adapters.find(agent.adapter);
    if (agent.adapter.empty() || agent.kind != agent_kind::command) {
      continue;
    }
    if (found == out_.adapters.end()) {
      const std::string path = "agents." + name.str() + '.' + std::string{adapter_key};
      out_.problems.push_back({problem::severity::error,
                               error_code::invalid_config,
                               out_.positions.find(path),
                               path,
                               "there is no adapter '" + agent.adapter + "'",
                               suggestion(agent.adapter, names)});
    } else {
      take_from_adapter(agent, found->second);
    }
  }
}

// By way of TOML, as a file between the defaults and the agent's own table would give them.
void config_layers::take_from_adapter(agent_spec& agent, const agent_spec& adapter) {
  const std::string path = "agents." + agent.name.str() + '.';
  const agent_spec defaults;
  for (const auto& key : agent_keys()) {
    const std::string full_key = path + std::string{key.name};
    const auto value = key.write(adapter);
    const bool says_nothing = !is_adapters_key(key.name) || toml_value(value) == toml_value(key.write(defaults));
    if (says_nothing || out_.origins.contains(full_key)) {
      continue;
    }
    problem_sink sink{"adapter " + agent.adapter, error_code::invalid_config};
    if (key.read(agent, key, {value, full_key, sink}, {"/", "/"})) {
      out_.origins[full_key] = "adapter " + agent.adapter;
      const auto at = out_.positions.find("adapters." + agent.adapter + '.' + std::string{key.name});
      out_.positions.set(full_key, at.file.empty() ? out_.positions.find(path + std::string{adapter_key}) : at);
    }
    take(sink);
  }
  auto environment = adapter.environment;
  agent.environment.merge(environment);
}

void config_layers::keep(std::vector<problem> found) {
  std::erase_if(found, [this](const problem& each) { return is_consequence(each); });
  out_.problems.insert(out_.problems.end(), found.begin(), found.end());
}

// Those that the layers set, and then what agents have made of them; a mistake of an adapter is told once.
void config_layers::check_adapters() {
  for (const auto& [name, adapter] : out_.adapters) {
    std::vector<problem> found;
    check_reading(adapter, "adapters." + name + '.', out_.positions, found);
    keep(std::move(found));
  }
  for (const auto& [name, agent] : values_.agents) {
    const std::string scope = "adapters." + agent.adapter + '.';
    const bool is_told = std::any_of(out_.problems.begin(), out_.problems.end(), [&](const problem& each) {
      return each.weight == problem::severity::error && each.key.starts_with(scope);
    });
    std::vector<problem> found;
    if (!is_told) {
      check_reading(agent, "agents." + name.str() + '.', out_.positions, found);
    }
    keep(std::move(found));
  }
}

loaded_config config_layers::finish() {
  take_from_adapters();
  set_default_paths();
  std::vector<problem> found;
  check_prices();
  check_settings(values_, out_.positions, found);
  keep(std::move(found));
  check_adapters();
  sort_by_place(out_.problems);
  note_defaults();
  if (!has_errors(out_.problems)) {
    out_.values = std::make_shared<const settings>(std::move(values_));
  }
  return std::move(out_);
}

void config_layers::set_default_paths() {
  for (auto& [name, agent] : values_.agents) {
    if (agent.working_directory.empty()) {
      agent.working_directory = sources_.working_directory;
    }
  }
  if (!values_.storage.path.empty()) {
    return;
  }
  const std::string state = variable("XDG_STATE_HOME");
  const std::string home = variable("HOME");
  if (state.starts_with('/')) {  // The XDG specification: a relative one is to be ignored.
    values_.storage.path = absolute_path("troupe/troupe.db", {state, home});
  } else if (home.starts_with('/')) {
    values_.storage.path = absolute_path(".local/state/troupe/troupe.db", {home, home});
  } else {
    problem missing{problem::severity::error,
                    error_code::invalid_config,
                    {},
                    "storage.path",
                    "there is no place for the database: neither XDG_STATE_HOME nor HOME is an absolute path",
                    "set storage.path"};
    if (!is_consequence(missing)) {
      out_.problems.push_back(std::move(missing));
    }
  }
}

bool config_layers::is_consequence(const problem& found) const {
  constexpr std::array<std::string_view, 3> named{"agents.", "adapters.", "providers."};
  const bool has_name =
      std::any_of(named.begin(), named.end(), [&](std::string_view table) { return found.key.starts_with(table); });
  const auto parts_end = has_name ? found.key.find('.', found.key.find('.') + 1) : std::string::npos;
  const bool is_agent = parts_end != std::string::npos;
  const std::string scope = is_agent ? found.key.substr(0, parts_end + 1) : found.key;
  return std::any_of(out_.problems.begin(), out_.problems.end(), [&](const problem& each) {
    return each.weight == problem::severity::error && each.key.starts_with(scope);
  });
}

void config_layers::note(const std::string& key, toml_place at, const origin& from) {
  out_.origins[key] = from.has_lines ? from.name + ':' + std::to_string(at.line) : from.name;
  out_.positions.set(key, {from.name, at.line, at.column});
}

// A later layer adds to what stands there.
void config_layers::note_first(const std::string& key, toml_place at, const origin& from) {
  if (!out_.positions.contains(key)) {
    note(key, at, from);
  }
}

void config_layers::note_members(const std::string& key, const toml_node& value, const origin& from) {
  const auto* table = value.as<toml_table>();
  for (std::size_t i = 0; table != nullptr && i < table->members.size(); ++i) {
    const auto& member = table->members[i];
    out_.positions.set(key + '.' + member.key, {from.name, member.at.line, member.at.column});
  }
  const auto* list = value.as<toml_list>();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto at = (*list)[i].begin;
    out_.positions.set(key + '[' + std::to_string(i) + ']', {from.name, at.line, at.column});
  }
}

void config_layers::note_defaults() {
  const std::string origin_name = "default";
  out_.origins.try_emplace(std::string{version_key}, origin_name);
  for (const auto& key : settings_keys()) {
    out_.origins.try_emplace(std::string{key.name}, origin_name);
  }
  note_provider_defaults();
  for (const auto& [name, agent] : values_.agents) {
    for (const auto& key : agent_keys()) {
      out_.origins.try_emplace("agents." + name.str() + '.' + std::string{key.name}, origin_name);
    }
  }
}

void config_layers::take(problem_sink& sink) {
  auto found = sink.take();
  sort_by_place(found);
  std::move(found.begin(), found.end(), std::back_inserter(out_.problems));
}

std::string config_layers::variable(const std::string& name) const {
  const auto found = sources_.environment.find(name);
  return found == sources_.environment.end() ? std::string{} : found->second;
}

path_context config_layers::paths_from(const std::string& folder) const { return {folder, variable("HOME")}; }

const adapter_map& builtin_adapters() {
  static const adapter_map known = [] {
    const config_sources nothing;
    config_layers layers{nothing};
    layers.add_file({"built-in adapters", std::string{builtin_adapters_text()}, true});
    return layers.finish().adapters;
  }();
  return known;
}

loaded_config load_config(const config_sources& sources) {
  config_layers layers{sources};
  layers.start_from(builtin_adapters());
  for (const auto& file : sources.files) {
    layers.add_file(file);
  }
  layers.add_environment();
  for (const auto& assignment : sources.assignments) {
    layers.add_assignment(assignment);
  }
  return layers.finish();
}

}  // namespace troupe
