// `map` of a step.
#include "config/workflow_parser.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr int concurrent_max = 100'000;

std::string read_element_name(const toml_value_ref& value) {
  auto text = read_text(value);
  if (text && !is_field_name(*text)) {
    text = value.refuse("is '" + *text + "', which cannot be the name of an element", std::string{field_rule});
  }
  return std::move(text).value_or("");
}

// What is wrong with the other file stands there, by a key that says how it came to be read.
void parse_child(const toml_value_ref& file, workflow_parts& parts, map_policy& map) {
  const auto* loaded = parts.workflows.find(file);
  map.workflow_file = read_text(file).value_or("");
  if (loaded == nullptr) {
    return;
  }
  map.flow = loaded->draft;
  parts.positions.set_below(file.path, loaded->positions);
  for (auto each : loaded->problems) {
    each.key = each.key.empty() ? file.path : file.path + '.' + each.key;
    parts.of_others.push_back(std::move(each));
  }
}

}  // namespace

std::optional<map_policy> parse_map(const toml_value_ref& value, workflow_parts& parts) {
  const auto* table = read_table(value);
  if (table == nullptr) {
    return std::nullopt;
  }
  map_policy map;
  toml_reader reader{*table, value.node.begin, value.path, parts.sink, parts.positions};
  if (const auto over = reader.require("over", "name the list in the state: over = \"/files\"")) {
    map.over = read_pointer(*over).value_or("");
  }
  if (const auto as = reader.require("as", "name the element for the prompt: as = \"file\"")) {
    map.as = read_element_name(*as);
  }
  const auto agent = reader.take("agent");
  const auto file = reader.take("workflow");
  const int kinds = static_cast<int>(agent.has_value()) + static_cast<int>(file.has_value()) +
                    static_cast<int>(reader.has("function"));
  if (kinds != 1) {
    value.refuse(kinds == 0 ? "says nothing of who carries it out" : "has several kinds of executor",
                 "write exactly one of agent, function, workflow");
  }
  map.agent = agent_name{agent ? read_name(*agent, "the name of an agent").value_or("") : ""};
  map.function = parse_function(reader);
  if (file) {
    parse_child(*file, parts, map);
  }
  if (const auto most = reader.take("max_concurrent")) {
    map.max_concurrent = static_cast<int>(read_integer(*most, {.min = 1, .max = concurrent_max}).value_or(0));
  }
  reader.finish();
  return map;
}

}  // namespace troupe
