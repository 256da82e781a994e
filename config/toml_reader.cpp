#include "config/toml_reader.hpp"

#include "config/toml_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

toml_reader::toml_reader(
    const toml_table& table, toml_place at, std::string path, problem_sink& sink, source_map& positions)
    : table_(table), at_(at), path_(std::move(path)), sink_(sink), positions_(positions) {
  positions_.set(path_, sink_.position(at_));
}

std::string toml_reader::path_of(std::string_view key) const {
  return path_.empty() ? std::string{key} : path_ + '.' + std::string{key};
}

std::optional<toml_value_ref> toml_reader::take(std::string_view key) {
  known_.emplace_back(key);
  const auto* node = table_.find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  positions_.set(path_of(key), sink_.position(node->begin));
  return toml_value_ref{*node, path_of(key), sink_};
}

std::optional<toml_value_ref> toml_reader::require(std::string_view key, std::string hint) {
  auto value = take(key);
  if (!value) {
    sink_.error(at_, path_of(key), "'" + std::string{key} + "' is missing", std::move(hint));
  }
  return value;
}

void toml_reader::finish() {
  for (const auto& member : table_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) == known_.end()) {
      sink_.error(member.at,
                  path_of(member.key),
                  "unknown key '" + member.key + "'" + (path_.empty() ? "" : " in '" + path_ + "'"),
                  suggestion(member.key, known_));
    }
  }
}

const toml_table* read_table(const toml_value_ref& value) {
  const auto* table = value.node.as<toml_table>();
  if (table == nullptr) {
    value.refuse("must be a table; this is " + std::string{kind_name(value.node)});
  }
  return table;
}

std::optional<json_text> read_json(const toml_value_ref& value) {
  if (const auto* number = find_not_finite(value.node)) {
    value.sink.error(number->begin, value.path, "JSON has no number '" + toml_value(*number) + "'");
    return std::nullopt;
  }
  return to_json(value.node);
}

std::optional<std::string> read_name(const toml_value_ref& value, std::string_view what) {
  auto text = read_text(value);
  if (text && !is_name(*text)) {
    return value.refuse("is '" + *text + "', which cannot be " + std::string{what}, std::string{name_rule});
  }
  return text;
}

std::optional<std::string> read_pointer(const toml_value_ref& value) {
  auto text = read_text(value);
  if (text && !is_json_pointer(*text)) {
    return value.refuse("is '" + *text + "', which is not a JSON pointer",
                        "a JSON pointer is empty or starts with '/', as \"/answer/value\"; '~' is written ~0, '/' ~1");
  }
  return text;
}

}  // namespace troupe
