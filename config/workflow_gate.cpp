// `gate` of a step.
#include "config/workflow_parser.hpp"
#include "config/workflow_words.hpp"

#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr int votes_max = 1'000;
constexpr std::array<std::string_view, 5> level_keys{"prompt", "votes", "voters", "expires", "on_expiry"};

std::vector<std::string> read_voters(const toml_value_ref& value) {
  const auto read = read_texts(value);
  if (read && read->empty()) {
    value.refuse("names nobody", "leave it out, so that anybody may vote");
  }
  auto voters = read.value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < voters.size(); ++i) {
    if (voters[i].empty()) {
      value.refuse("holds an empty name");
    }
  }
  return voters;
}

gate_level parse_level(toml_reader& reader, workflow_parts& parts) {
  gate_level level;
  if (const auto prompt = reader.require("prompt", "say what is to be decided: prompt = \"Merge?\"")) {
    note_text(*prompt, parts);
    const auto text = read_text(*prompt);
    if (text && text->empty()) {
      prompt->refuse("is empty", "say what is to be decided: prompt = \"Merge?\"");
    }
    level.prompt = text.value_or("");
  }
  if (const auto votes = reader.take("votes")) {
    level.votes = static_cast<int>(read_integer(*votes, {.min = 1, .max = votes_max}).value_or(1));
  }
  if (const auto voters = reader.take("voters")) {
    level.voters = read_voters(*voters);
  }
  const auto expires = reader.take("expires");
  if (expires) {
    level.expires = read_duration(*expires, {.min = milliseconds{1}});
  }
  if (const auto expiry = reader.take("on_expiry")) {
    level.on_expiry = read_enum<expiry_policy>(*expiry, expiry_words).value_or(level.on_expiry);
    if (!expires) {
      expiry->refuse("has no use without 'expires'", "say when: expires = \"24h\"");
    }
  }
  return level;
}

std::vector<gate_level> parse_levels(const toml_value_ref& value, workflow_parts& parts) {
  std::vector<gate_level> levels;
  const auto* list = value.node.as<toml_list>();
  if (list == nullptr || list->empty()) {
    value.refuse("must be a list of tables, with at least one", "write levels = [{ prompt = \"Merge?\" }]");
    return levels;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const toml_value_ref item{(*list)[i], value.path + '[' + std::to_string(i) + ']', value.sink};
    const auto* table = read_table(item);
    if (table == nullptr) {
      continue;
    }
    toml_reader reader{*table, item.node.begin, item.path, parts.sink, parts.positions};
    std::optional<condition> when;
    if (const auto holds = reader.take("when")) {
      when = parse_condition(*holds, parts.positions);
    }
    levels.push_back(parse_level(reader, parts));
    levels.back().when = std::move(when);
    reader.finish();
  }
  return levels;
}

}  // namespace

std::optional<gate_policy> parse_gate(const toml_value_ref& value, workflow_parts& parts) {
  const auto* table = read_table(value);
  if (table == nullptr) {
    return std::nullopt;
  }
  gate_policy gate;
  toml_reader reader{*table, value.node.begin, value.path, parts.sink, parts.positions};
  if (const auto levels = reader.take("levels")) {
    gate.levels = parse_levels(*levels, parts);
    for (const auto key : level_keys) {
      if (const auto one = reader.take(key)) {
        one->refuse("has no use beside 'levels'", "write it into a level");
      }
    }
  } else {
    gate.levels.push_back(parse_level(reader, parts));
  }
  if (const auto action = reader.take("action")) {
    gate.action = read_pointer(*action);
  }
  if (const auto approved = reader.take("approved_when")) {
    gate.approved_when = parse_condition(*approved, parts.positions);
  }
  reader.finish();
  // What could not be read leaves a level, so that the checks find one.
  if (gate.levels.empty()) {
    gate.levels.emplace_back();
  }
  return gate;
}

}  // namespace troupe
