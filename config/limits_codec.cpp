// Settings that are tables of their own, and the types that only they have.
#include "config/setting_codec.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// What a layer does not name stays as the layers below left it.
template <class Spec>
bool read_members(Spec& into,
                  std::span<const setting_key<Spec>> keys,
                  const toml_value_ref& value,
                  const path_context& paths) {
  const auto* table = value.node.as<toml_table>();
  if (table == nullptr) {
    value.refuse("must be a table; this is " + std::string{kind_name(value.node)});
    return false;
  }
  Spec read = into;
  bool is_whole = true;
  for (const auto& member : table->members) {
    const std::string path = value.path + '.' + member.key;
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.name == member.key; });
    if (key == keys.end()) {
      std::vector<std::string> names;
      std::transform(
          keys.begin(), keys.end(), std::back_inserter(names), [](const auto& each) { return std::string{each.name}; });
      value.sink.error(member.at, path, "unknown key '" + member.key + "'", suggestion(member.key, names));
      is_whole = false;
    } else {
      is_whole = key->read(read, *key, {member.value, path, value.sink}, paths) && is_whole;
    }
  }
  if (is_whole) {
    into = std::move(read);
  }
  return is_whole;
}

template <class Spec>
toml_node written(const Spec& from, std::span<const setting_key<Spec>> keys) {
  toml_table table;
  for (const auto& key : keys) {
    table.members.push_back({std::string{key.name}, {}, key.write(from)});
  }
  return toml_node{std::move(table)};
}

}  // namespace

bool read_setting(double& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto number = read_number(value, facts.numbers.min, facts.numbers.max);
  into = number.value_or(into);
  return number.has_value();
}

bool read_setting(std::int64_t& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto number = read_integer(value, facts.range);
  into = number.value_or(into);
  return number.has_value();
}

bool read_setting(retry_policy& into, const setting_facts&, const toml_value_ref& value, const path_context& paths) {
  return read_members(into, retry_keys(), value, paths);
}

bool read_setting(breaker_spec& into, const setting_facts&, const toml_value_ref& value, const path_context& paths) {
  return read_members(into, breaker_keys(), value, paths);
}

toml_node write_setting(double value) { return toml_node{value}; }

toml_node write_setting(std::int64_t value) { return toml_node{value}; }

toml_node write_setting(const retry_policy& value) { return written(value, retry_keys()); }

toml_node write_setting(const breaker_spec& value) { return written(value, breaker_keys()); }

}  // namespace troupe
