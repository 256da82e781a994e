// The layers that are single texts: environment variables and `--set`.
#include "config/config_layers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view prefix = "TROUPE_";
constexpr std::string_view separator = "__";

// What Troupe tells its agents, and what its tests tell it: an agent that starts Troupe passes them on.
constexpr std::array<std::string_view, 8> not_settings{"TROUPE_RUN_ID",
                                                       "TROUPE_STEP_ID",
                                                       "TROUPE_SUBJECT",
                                                       "TROUPE_ATTEMPT",
                                                       "TROUPE_IDEMPOTENCY_KEY",
                                                       "TROUPE_DATABASE",
                                                       "TROUPE_PROMPT_FILE",
                                                       "TROUPE_FAULTS"};

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& letter : out) {
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& letter : out) {
    letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  return out;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "" : ".") + part;
  }
  return out;
}

// `STORAGE__PATH` to storage, path. The name of an agent's own variable, behind ENV, keeps its case.
std::vector<std::string> path_of_variable(std::string_view name) {
  std::vector<std::string> parts;
  while (true) {
    const bool is_own_variable =
        parts.size() == 3 && (parts[0] == "agents" || parts[0] == "adapters") && parts[2] == "env";
    const auto cut = is_own_variable ? std::string_view::npos : name.find(separator);
    const auto part = name.substr(0, cut);
    parts.push_back(is_own_variable ? std::string{part} : lower(part));
    if (cut == std::string_view::npos) {
      return parts;
    }
    name.remove_prefix(cut + separator.size());
  }
}

std::vector<std::string> known_variables() {
  std::vector<std::string> names;
  for (const auto& key : settings_keys()) {
    names.push_back(variable_of(key.name));
  }
  for (const auto& key : agent_keys()) {
    names.push_back(variable_of("agents.name." + std::string{key.name}));
  }
  for (const auto& key : provider_keys()) {
    names.push_back(variable_of("providers.name." + std::string{key.name}));
  }
  return names;
}

const setting_facts* facts_of(const std::vector<std::string>& path) {
  if (path.size() >= 3 && (path[0] == "agents" || path[0] == "adapters")) {
    const auto* facts = path[0] == "agents" || is_adapters_key(path[2]) ? find_agent_key(path[2]) : nullptr;
    const bool fits = path.size() == 3 || (path.size() == 4 && (path[2] == "env" || path[2] == "headers"));
    return fits ? facts : nullptr;
  }
  if (path.size() >= 3 && path[0] == "providers") {
    const auto* facts = find_provider_key(path[2]);
    const bool fits = path.size() == 3 || (path.size() == 4 && path[2] == "breaker");
    return fits ? facts : nullptr;
  }
  if (path.size() == 3 && path[0] == "prices") {
    return find_price_key(path[2]);
  }
  if (path.size() == 3 && path[0] == "retry") {
    return find_settings_key(path[0] + '.' + path[1]);
  }
  return find_settings_key(join(path));
}

bool is_text(const setting_facts* facts, std::size_t depth) {
  if (facts == nullptr) {
    return false;
  }
  switch (facts->kind) {
    case value_kind::duration:
    case value_kind::duration_or_off:
    case value_kind::time_of_day:
    case value_kind::size:
    case value_kind::text:
    case value_kind::path:
    case value_kind::choice:
      return true;
    case value_kind::source:
      return false;
    case value_kind::variables:
    case value_kind::headers:
      return depth == 4;
    case value_kind::integer:
    case value_kind::boolean:
    case value_kind::command:
    case value_kind::texts:
    case value_kind::pointers:
    case value_kind::variable_names:
    case value_kind::integers:
    case value_kind::number:
    case value_kind::money:
    case value_kind::retry:
    case value_kind::breaker:
    case value_kind::usage:
    case value_kind::failures:
      return false;
  }
  return false;
}

// The places of a text that stands in no file.
void forget_places(toml_node& node) {
  node.begin = {};
  node.end = {};
  if (auto* list = std::get_if<toml_list>(&node.value)) {
    std::for_each(list->begin(), list->end(), forget_places);
  }
  if (auto* table = std::get_if<toml_table>(&node.value)) {
    for (auto& member : table->members) {
      member.at = {};
      forget_places(member.value);
    }
  }
}

// The value that `text` spells in TOML, else the text itself. Where a text is wanted, only a quoted one is unquoted.
toml_node value_of(const std::string& text, bool wants_text) {
  const auto document = parse_toml("v = " + text, {}, error_code::invalid_config);
  if (document.fault || document.root.members.size() != 1 || document.root.members.front().key != "v") {
    return toml_node{text};
  }
  toml_node value = document.root.members.front().value;
  forget_places(value);
  return wants_text && value.as<std::string>() == nullptr ? toml_node{text} : value;
}

toml_table nested(const std::vector<std::string>& path, toml_node value) {
  for (auto part = path.rbegin(); part != path.rend(); ++part) {
    toml_table outer;
    outer.members.push_back({*part, {}, std::move(value)});
    value = toml_node{std::move(outer)};
  }
  return std::get<toml_table>(std::move(value.value));
}

// The words of a dotted key as TOML reads it; none if it is not one.
std::vector<std::string> path_of_key(const std::string& key) {
  std::vector<std::string> path;
  if (key.find_first_of("\r\n#=") != std::string::npos) {
    return path;
  }
  const auto document = parse_toml(key + " = 0", {}, error_code::invalid_config);
  const toml_table* table = document.fault ? nullptr : &document.root;
  while (table != nullptr && table->members.size() == 1) {
    path.push_back(table->members.front().key);
    table = table->members.front().value.as<toml_table>();
  }
  return path;
}

}  // namespace

std::string variable_of(std::string_view key) {
  std::string name{prefix};
  for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    name += upper(key.substr(0, dot)) + std::string{separator};
    key.remove_prefix(dot + 1);
  }
  return name + upper(key);
}

void config_layers::add_environment() {
  for (const auto& [name, text] : sources_.environment) {
    const bool is_setting = std::find(not_settings.begin(), not_settings.end(), name) == not_settings.end();
    if (name.starts_with(prefix) && is_setting) {
      add_variable(name, text);
    }
  }
}

void config_layers::add_variable(const std::string& name, const std::string& text) {
  const std::string origin_name = "environment " + name;
  const auto path = path_of_variable(std::string_view{name}.substr(prefix.size()));
  if (facts_of(path) != nullptr) {
    apply_text(path, text, origin_name);
    return;
  }
  problem_sink sink{origin_name, error_code::invalid_config};
  const auto near = nearest_name(name, known_variables());
  sink.warning({},
               join(path),
               "'" + name + "' sets nothing: there is no key '" + join(path) + "'",
               near ? "did you mean '" + *near + "'?" : "`troupe config show` lists every key");
  take(sink);
}

void config_layers::add_assignment(const std::string& assignment) {
  const auto equals = assignment.find('=');
  const std::string key = assignment.substr(0, equals);
  const auto path = equals == std::string::npos ? key_path{} : path_of_key(key);
  if (path.empty()) {
    problem_sink sink{"--set " + assignment, error_code::invalid_config};
    sink.error({}, {}, "'" + assignment + "' is not KEY=VALUE", "write --set writer.max_batch=64");
    take(sink);
    return;
  }
  apply_text(path, assignment.substr(equals + 1), "--set " + join(path));
}

void config_layers::apply_text(const key_path& path, const std::string& text, const std::string& origin_name) {
  const auto* facts = facts_of(path);
  problem_sink sink{origin_name, error_code::invalid_config};
  const auto root = nested(path, value_of(text, is_text(facts, path.size())));
  apply(root, {origin_name, paths_from(sources_.working_directory), false}, sink);
  take(sink);
}

}  // namespace troupe
