// The JSON Schema of troupe.toml.
#include "config/recognition_schema.hpp"
#include "config/reference.hpp"
#include "config/setting_key.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

void put(toml_table& table, std::string key, toml_node value) {
  table.members.push_back({std::move(key), {}, std::move(value)});
}

toml_node text_node(std::string_view text) { return toml_node{std::string{text}}; }

toml_node typed(std::string_view type) {
  toml_table table;
  put(table, "type", text_node(type));
  return toml_node{std::move(table)};
}

toml_node texts_node(std::span<const std::string_view> texts) {
  toml_list list;
  for (const auto text : texts) {
    list.push_back(text_node(text));
  }
  return toml_node{std::move(list)};
}

void put_pattern(toml_table& table, std::string_view pattern) {
  put(table, "type", text_node("string"));
  put(table, "pattern", text_node(pattern));
}

void put_range(toml_table& table, const setting_facts& facts) {
  put(table, "type", text_node("integer"));
  put(table, "minimum", toml_node{facts.range.min});
  put(table, "maximum", toml_node{facts.range.max});
}

void put_list(toml_table& table, toml_node items, const setting_facts& facts) {
  put(table, "type", text_node("array"));
  put(table, "items", std::move(items));
  if (!facts.may_be_empty) {
    put(table, "minItems", toml_node{std::int64_t{1}});
  }
}

template <class Spec>
void put_members(toml_table& table, std::span<const setting_key<Spec>> keys);

void put_rules(toml_table& table, value_kind kind) {
  auto rules = rules_schema(kind);
  std::move(rules.members.begin(), rules.members.end(), std::back_inserter(table.members));
}

void put_type(toml_table& table, const setting_facts& facts) {
  toml_table item;
  switch (facts.kind) {
    case value_kind::integer:
      put_range(table, facts);
      return;
    case value_kind::boolean:
      put(table, "type", text_node("boolean"));
      return;
    case value_kind::time_of_day:
      put_pattern(table, "^([01][0-9]|2[0-3]):[0-5][0-9]$");
      return;
    case value_kind::duration:
      put_pattern(table, "^[0-9]+(ms|s|m|h|d)$");
      return;
    case value_kind::duration_or_off:
      put_pattern(table, "^([0-9]+(ms|s|m|h|d)|off)$");
      return;
    case value_kind::size:
      put_pattern(table, "^[0-9]+(B|KiB|MiB|GiB|TiB)$");
      return;
    case value_kind::text:
    case value_kind::path:
      put(table, "type", text_node("string"));
      if (!facts.may_be_empty) {
        put(table, "minLength", toml_node{std::int64_t{1}});
      }
      return;
    case value_kind::choice:
      put(table, "enum", texts_node(facts.choices));
      return;
    case value_kind::command:
    case value_kind::texts:
      put_list(table, typed("string"), facts);
      return;
    case value_kind::pointers:
      put_pattern(item, "^(/([^/~]|~[01])*)*$");
      put_list(table, toml_node{std::move(item)}, facts);
      return;
    case value_kind::integers:
      put_range(item, facts);
      put_list(table, toml_node{std::move(item)}, facts);
      return;
    case value_kind::variable_names:
      put_pattern(item, "^[A-Za-z_][A-Za-z0-9_]*$");
      put_list(table, toml_node{std::move(item)}, facts);
      return;
    case value_kind::variables:
    case value_kind::headers:
      put(table, "type", text_node("object"));
      put(table, "additionalProperties", typed("string"));
      return;
    case value_kind::number:
    case value_kind::money:
      put(table, "type", text_node("number"));
      put(table, "minimum", toml_node{facts.numbers.min});
      put(table, "maximum", toml_node{facts.numbers.max});
      return;
    case value_kind::retry:
      put_members(table, retry_keys());
      return;
    case value_kind::breaker:
      put_members(table, breaker_keys());
      return;
    case value_kind::source:
    case value_kind::usage:
    case value_kind::failures:
      put_rules(table, facts.kind);
      return;
  }
}

toml_node key_schema(const setting_facts& facts, toml_node value) {
  toml_table table;
  put_type(table, facts);
  put(table, "description", text_node(facts.doc));
  if (facts.shown_default.data() == nullptr) {
    put(table, "default", std::move(value));
  }
  return toml_node{std::move(table)};
}

toml_table closed_object(toml_table properties) {
  toml_table table;
  put(table, "type", text_node("object"));
  put(table, "additionalProperties", toml_node{false});
  put(table, "properties", toml_node{std::move(properties)});
  return table;
}

template <class Spec>
toml_table schema_of(std::span<const setting_key<Spec>> keys) {
  toml_table properties;
  for (const auto& key : keys) {
    put(properties, std::string{key.name}, key_schema(key, key.write(Spec{})));
  }
  return closed_object(std::move(properties));
}

// Without defaults: they are those of the whole table.
template <class Spec>
void put_members(toml_table& table, std::span<const setting_key<Spec>> keys) {
  toml_table properties;
  for (const auto& key : keys) {
    toml_table member;
    put_type(member, key);
    put(member, "description", text_node(key.doc));
    put(properties, std::string{key.name}, toml_node{std::move(member)});
  }
  auto object = closed_object(std::move(properties));
  std::move(object.members.begin(), object.members.end(), std::back_inserter(table.members));
}

toml_table adapter_schema() {
  toml_table properties;
  for (const auto& key : agent_keys()) {
    if (is_adapters_key(key.name)) {
      put(properties, std::string{key.name}, key_schema(key, key.write(agent_spec{})));
    }
  }
  return closed_object(std::move(properties));
}

toml_table version_schema() {
  toml_table table;
  put(table, "const", toml_node{std::int64_t{config_version}});
  put(table, "description", text_node("The version of the file format."));
  return table;
}

toml_table tables_by(toml_table names, toml_table each) {
  toml_table table;
  put(table, "type", text_node("object"));
  put(table, "propertyNames", toml_node{std::move(names)});
  put(table, "additionalProperties", toml_node{std::move(each)});
  return table;
}

toml_table named_tables(toml_table each) {
  toml_table names;
  put(names, "pattern", text_node("^[a-z0-9][a-z0-9_-]{0,63}$"));
  return tables_by(std::move(names), std::move(each));
}

// Models have what names their makers give them. A price without one of its two amounts is refused.
toml_table price_tables() {
  auto each = schema_of(price_keys());
  toml_list needed;
  for (const auto& key : price_keys()) {
    needed.push_back(text_node(key.name));
  }
  put(each, "required", toml_node{std::move(needed)});
  toml_table names;
  put(names, "minLength", toml_node{std::int64_t{1}});
  return tables_by(std::move(names), std::move(each));
}

}  // namespace

json_text config_schema() {
  toml_table properties;
  put(properties, "config_version", toml_node{version_schema()});
  toml_table group;
  std::string group_name;
  const auto end_group = [&] {
    if (!group_name.empty()) {
      put(properties, group_name, toml_node{closed_object(std::exchange(group, {}))});
    }
  };
  for (const auto& key : settings_keys()) {
    const auto dot = key.name.find('.');
    if (key.name.substr(0, dot) != group_name) {
      end_group();
      group_name = key.name.substr(0, dot);
    }
    put(group, std::string{key.name.substr(dot + 1)}, key_schema(key, key.write(settings{})));
  }
  end_group();
  put(properties, "providers", toml_node{named_tables(schema_of(provider_keys()))});
  put(properties, "prices", toml_node{price_tables()});
  put(properties, "adapters", toml_node{named_tables(adapter_schema())});
  put(properties, "agents", toml_node{named_tables(schema_of(agent_keys()))});
  toml_table root = closed_object(std::move(properties));
  put(root, "$schema", text_node("https://json-schema.org/draft/2020-12/schema"));
  put(root, "title", text_node("troupe.toml"));
  return to_json(toml_node{std::move(root)});
}

}  // namespace troupe
