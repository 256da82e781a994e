// How each C++ type of a setting is read from TOML and written back.
#pragma once

#include "config/recognition_codec.hpp"
#include "config/setting_key.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Names of an enum's values as files spell them, in the order of the values.
template <class Enum>
inline constexpr std::array<std::string_view, 0> choice_names{};
template <>
inline constexpr std::array<std::string_view, 2> choice_names<storage_durability>{"full", "normal"};
template <>
inline constexpr std::array<std::string_view, 2> choice_names<cgroup_use>{"auto", "off"};
template <>
inline constexpr std::array<std::string_view, 6> choice_names<log_level>{
    "trace", "debug", "info", "warn", "error", "off"};
template <>
inline constexpr std::array<std::string_view, 2> choice_names<log_format>{"human", "json"};
template <>
inline constexpr std::array<std::string_view, 2> choice_names<agent_kind>{"command", "http"};
template <>
inline constexpr std::array<std::string_view, 3> choice_names<prompt_channel>{"stdin", "arg", "file"};
template <>
inline constexpr std::array<std::string_view, 3> choice_names<output_format>{"text", "json", "jsonl"};
template <>
inline constexpr std::array<std::string_view, 2> choice_names<answer_format>{"text", "json"};

template <>
inline constexpr std::array<std::string_view, 3> choice_names<effect_kind>{"none", "idempotent", "external"};

bool read_setting(bool& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(time_of_day& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(int& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(milliseconds& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// `off` is none.
bool read_setting(std::optional<milliseconds>& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(std::size_t& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(std::string& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(std::vector<std::string>& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(std::vector<int>& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(double& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(std::int64_t& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// Exact: by the decimal digits of the value, never by arithmetic with fractions.
bool read_setting(money& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// As those below.
bool read_setting(retry_policy& into, const setting_facts&, const toml_value_ref&, const path_context&);
bool read_setting(breaker_spec& into, const setting_facts&, const toml_value_ref&, const path_context&);
/// Adds to what is there: a later layer replaces single variables.
/// Adds to what is there: a later layer replaces single variables, or headers.
bool read_setting(std::map<std::string, std::string>& into,
                  const setting_facts&,
                  const toml_value_ref&,
                  const path_context&);

template <class Enum>
requires std::is_enum_v<Enum>
bool read_setting(Enum& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto index = read_choice(value, facts.choices);
  if (index) {
    into = static_cast<Enum>(*index);
  }
  return index.has_value();
}

toml_node write_setting(bool value);
toml_node write_setting(time_of_day value);
toml_node write_setting(int value);
toml_node write_setting(milliseconds value);
toml_node write_setting(std::optional<milliseconds> value);
toml_node write_setting(std::size_t value);
toml_node write_setting(const std::string& value);
toml_node write_setting(const std::vector<std::string>& value);
toml_node write_setting(const std::vector<int>& value);
toml_node write_setting(const std::map<std::string, std::string>& value);
toml_node write_setting(double value);
toml_node write_setting(std::int64_t value);
toml_node write_setting(money value);
toml_node write_setting(const retry_policy& value);
toml_node write_setting(const breaker_spec& value);

template <class Enum>
requires std::is_enum_v<Enum> toml_node write_setting(Enum value) {
  return toml_node{std::string{choice_names<Enum>.at(static_cast<std::size_t>(value))}};
}

/// Absent is the first.
template <class Enum>
requires std::is_enum_v<Enum>
bool read_setting(std::optional<Enum>& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context& paths) {
  Enum read{};
  const bool is_read = read_setting(read, facts, value, paths);
  if (is_read) {
    into = read;
  }
  return is_read;
}

template <class Enum>
requires std::is_enum_v<Enum> toml_node write_setting(std::optional<Enum> value) {
  return write_setting(value.value_or(Enum{}));
}

template <class T>
constexpr value_kind kind_of_type() {
  if constexpr (std::is_enum_v<T> || std::is_same_v<T, std::optional<effect_kind>>) {
    return value_kind::choice;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value_kind::boolean;
  } else if constexpr (std::is_same_v<T, time_of_day>) {
    return value_kind::time_of_day;
  } else if constexpr (std::is_same_v<T, milliseconds>) {
    return value_kind::duration;
  } else if constexpr (std::is_same_v<T, std::optional<milliseconds>>) {
    return value_kind::duration_or_off;
  } else if constexpr (std::is_same_v<T, std::size_t>) {
    return value_kind::size;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value_kind::text;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return value_kind::texts;
  } else if constexpr (std::is_same_v<T, std::vector<int>>) {
    return value_kind::integers;
  } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
    return value_kind::variables;
  } else if constexpr (std::is_same_v<T, double>) {
    return value_kind::number;
  } else if constexpr (std::is_same_v<T, money>) {
    return value_kind::money;
  } else if constexpr (std::is_same_v<T, retry_policy>) {
    return value_kind::retry;
  } else if constexpr (std::is_same_v<T, breaker_spec>) {
    return value_kind::breaker;
  } else if constexpr (std::is_same_v<T, value_source>) {
    return value_kind::source;
  } else if constexpr (std::is_same_v<T, usage_sources>) {
    return value_kind::usage;
  } else if constexpr (std::is_same_v<T, std::vector<failure_rule>>) {
    return value_kind::failures;
  } else {
    static_assert(std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>, "no codec for this type");
    return value_kind::integer;
  }
}

/// A key that lives at `owner.*Members...`. The kind follows from the type unless the facts give a finer one.
template <class Owner, auto... Members>
constexpr setting_key<Owner> make_setting_key(setting_facts facts) {
  using type = std::remove_cvref_t<decltype((std::declval<Owner&>().*....*Members))>;
  if (facts.kind == value_kind::integer) {
    facts.kind = kind_of_type<type>();
  }
  if constexpr (std::is_enum_v<type>) {
    facts.choices = choice_names<type>;
  } else if constexpr (std::is_same_v<type, std::optional<effect_kind>>) {
    facts.choices = choice_names<effect_kind>;
  }
  return {facts,
          [](Owner& into, const setting_facts& known, const toml_value_ref& value, const path_context& paths) {
            return read_setting((into.*....*Members), known, value, paths);
          },
          [](const Owner& from) { return write_setting((from.*....*Members)); }};
}

}  // namespace troupe
