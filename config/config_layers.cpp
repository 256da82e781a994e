#include "config/config_layers.hpp"

#include "config/file_text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view version_key = "config_version";

// Tables of the format that this version has no use for.
constexpr std::array<std::string_view, 9> refused_tables{
    "prices", "evidence", "cleanup", "http", "metrics", "tracing", "reload", "auth", "policy"};

std::string_view table_of(std::string_view name) { return name.substr(0, name.find('.')); }

std::string_view last_of(std::string_view name) { return name.substr(name.find('.') + 1); }

std::vector<std::string> known_tables() {
  std::vector<std::string> names{"agents", "providers", std::string{version_key}};
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

std::vector<std::string> agent_key_names() {
  std::vector<std::string> names;
  for (const auto& key : agent_keys()) {
    names.emplace_back(key.name);
  }
  return names;
}

template <class Keys>
auto find_key(const Keys& keys, std::string_view name) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

std::span<const std::string_view> later_tables() noexcept { return refused_tables; }

const setting_facts* find_settings_key(std::string_view name) noexcept { return find_key(settings_keys(), name); }

const setting_facts* find_agent_key(std::string_view name) noexcept { return find_key(agent_keys(), name); }

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
    } else if (member.key == "agents") {
      apply_agents(member, from, sink);
    } else if (member.key == "providers") {
      apply_providers(member, from, sink);
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
  const auto* members = table.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(table.value.begin,
               table.key,
               "'" + table.key + "' must be a table; this is " + std::string{kind_name(table.value)},
               "write [" + table.key + "] on a line of its own, and its keys below");
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

void config_layers::apply_agents(const toml_member& agents, const origin& from, problem_sink& sink) {
  const auto* members = agents.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(agents.value.begin, agents.key, "'agents' must be a table; write [agents.NAME]");
    return;
  }
  for (const auto& member : members->members) {
    if (!is_name(member.key)) {
      sink.error(member.at,
                 "agents." + member.key,
                 "'" + member.key + "' is not the name of an agent",
                 std::string{name_rule});
    } else {
      apply_agent(member, from, sink);
    }
  }
}

void config_layers::apply_agent(const toml_member& agent, const origin& from, problem_sink& sink) {
  const std::string path = "agents." + agent.key;
  const auto* members = agent.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(
        agent.value.begin, path, "'" + path + "' must be a table; this is " + std::string{kind_name(agent.value)});
    return;
  }
  const agent_name name{agent.key};
  agent_spec& spec = values_.agents[name];
  spec.name = name;
  if (!out_.positions.contains(path)) {
    note(path, agent.at, from);
  }
  for (const auto& member : members->members) {
    const std::string full_key = path + '.' + member.key;
    const auto* key = find_key(agent_keys(), member.key);
    if (key == nullptr) {
      const auto names = agent_key_names();
      sink.error(member.at, full_key, "unknown key '" + member.key + "'", suggestion(member.key, names));
    } else if (key->read(spec, *key, {member.value, full_key, sink}, from.paths)) {
      note(full_key, member.value.begin, from);
      note_members(full_key, member.value, from);
    }
  }
}

loaded_config config_layers::finish() {
  set_default_paths();
  std::vector<problem> found;
  check_settings(values_, out_.positions, found);
  std::erase_if(found, [this](const problem& each) { return is_consequence(each); });
  out_.problems.insert(out_.problems.end(), found.begin(), found.end());
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
  const bool has_name = found.key.starts_with("agents.") || found.key.starts_with("providers.");
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

void config_layers::note_members(const std::string& key, const toml_node& value, const origin& from) {
  const auto* table = value.as<toml_table>();
  for (std::size_t i = 0; table != nullptr && i < table->members.size(); ++i) {
    const auto& member = table->members[i];
    out_.positions.set(key + '.' + member.key, {from.name, member.at.line, member.at.column});
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

loaded_config load_config(const config_sources& sources) {
  config_layers layers{sources};
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
