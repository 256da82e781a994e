#include "config/recognition_schema.hpp"

#include "config/recognition_codec.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

void put(toml_table& table, std::string_view key, toml_node value) {
  table.members.push_back({std::string{key}, {}, std::move(value)});
}

toml_node text_node(std::string_view text) { return toml_node{std::string{text}}; }

toml_node typed(std::string_view type) {
  toml_table table;
  put(table, "type", text_node(type));
  return toml_node{std::move(table)};
}

toml_table closed_object(toml_table properties) {
  toml_table table;
  put(table, "type", text_node("object"));
  put(table, "additionalProperties", toml_node{false});
  put(table, "properties", toml_node{std::move(properties)});
  return table;
}

toml_node pointer_schema() {
  toml_table table;
  put(table, "type", text_node("string"));
  put(table, "pattern", text_node("^(/([^/~]|~[01])*)*$"));
  return toml_node{std::move(table)};
}

toml_node any_of(std::initializer_list<toml_node> each) {
  toml_table table;
  put(table, "anyOf", toml_node{toml_list{each}});
  return toml_node{std::move(table)};
}

toml_node list_schema(toml_node items, std::int64_t least) {
  toml_table table;
  put(table, "type", text_node("array"));
  put(table, "items", std::move(items));
  if (least > 0) {
    put(table, "minItems", toml_node{least});
  }
  return toml_node{std::move(table)};
}

toml_node choice_schema(std::initializer_list<std::string_view> names) {
  toml_list list;
  std::ranges::transform(names, std::back_inserter(list), text_node);
  toml_table table;
  put(table, "enum", toml_node{std::move(list)});
  return toml_node{std::move(table)};
}

toml_node scalar_schema() { return any_of({typed("string"), typed("number"), typed("boolean")}); }

// Exactly one of the three comparisons.
void put_test(toml_table& properties, toml_table& object) {
  put(properties, "path", pointer_schema());
  put(properties, "eq", scalar_schema());
  put(properties, "in", list_schema(scalar_schema(), 1));
  put(properties, "exists", typed("boolean"));
  toml_list ways;
  for (const std::string_view key : {"eq", "in", "exists"}) {
    toml_table way;
    put(way, "required", toml_node{toml_list{text_node(key)}});
    ways.emplace_back(std::move(way));
  }
  put(object, "oneOf", toml_node{std::move(ways)});
}

toml_node test_schema() {
  toml_table rule;
  toml_table properties;
  put_test(properties, rule);
  auto object = closed_object(std::move(properties));
  std::ranges::move(rule.members, std::back_inserter(object.members));
  return toml_node{std::move(object)};
}

toml_node source_schema() {
  toml_table properties;
  put(properties, "path", pointer_schema());
  put(properties, "only_key", pointer_schema());
  put(properties, "each", pointer_schema());
  put(properties, "where", test_schema());
  put(properties, "line", choice_schema({"last", "first"}));
  return any_of({pointer_schema(), toml_node{closed_object(std::move(properties))}});
}

toml_node usage_schema() {
  toml_table properties;
  for (const std::string_view key : {"input", "output"}) {
    put(properties, key, any_of({source_schema(), list_schema(source_schema(), 0)}));
  }
  put(properties, "model", source_schema());
  return toml_node{closed_object(std::move(properties))};
}

toml_node failures_schema() {
  toml_table code;
  toml_list codes;
  for (const auto each : codes_of_failures()) {
    codes.push_back(text_node(to_string(each)));
  }
  put(code, "enum", toml_node{std::move(codes)});
  toml_table number;
  put(number, "type", text_node("integer"));
  put(number, "minimum", toml_node{std::int64_t{0}});
  put(number, "maximum", toml_node{std::int64_t{255}});
  toml_table comparison;
  toml_table properties;
  put_test(properties, comparison);
  put(properties, "exit", list_schema(toml_node{std::move(number)}, 0));
  put(properties, "from", choice_schema({"stdout", "stderr"}));
  put(properties, "code", toml_node{std::move(code)});
  put(properties, "message", pointer_schema());
  put(properties, "retry_after", typed("string"));
  auto rule = closed_object(std::move(properties));
  put(rule, "required", toml_node{toml_list{text_node("code")}});
  return list_schema(toml_node{std::move(rule)}, 0);
}

}  // namespace

toml_table rules_schema(value_kind kind) {
  if (kind == value_kind::source) {
    return std::get<toml_table>(source_schema().value);
  }
  if (kind == value_kind::usage) {
    return std::get<toml_table>(usage_schema().value);
  }
  return kind == value_kind::failures ? std::get<toml_table>(failures_schema().value) : toml_table{};
}

}  // namespace troupe
