#include "config/setting_codec.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view no_duration = "off";

bool is_variable_name(std::string_view name) {
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '_';
  };
  return !name.empty() && (name.front() < '0' || name.front() > '9') && std::all_of(name.begin(), name.end(), fits);
}

// RFC 9110, 5.6.2.
bool is_header_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto fits = [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           marks.find(letter) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

// What is wrong with the name of a member, for people; empty if nothing is.
std::string refusal_of_name(const setting_facts& facts, const std::string& name, std::string& hint) {
  if (facts.kind == value_kind::headers) {
    hint = "names have letters, digits and '-'";
    return is_header_name(name) ? "" : '\'' + name + "' is not the name of a header";
  }
  hint = "names have letters, digits and '_', and do not start with a digit";
  return is_variable_name(name) ? "" : '\'' + name + "' is not the name of an environment variable";
}

integer_range range_of(const setting_facts& facts) {
  return {std::max<std::int64_t>(facts.range.min, 0), facts.range.max};
}

}  // namespace

std::string absolute_path(std::string_view written, const path_context& paths) {
  const bool is_home = written == "~" || written.starts_with("~/");
  const auto below = is_home ? written.substr(std::min<std::size_t>(2, written.size())) : written;
  std::string path = (std::filesystem::path{is_home ? paths.home : paths.folder} / below).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path;
}

bool read_setting(bool& into, const setting_facts&, const toml_value_ref& value, const path_context&) {
  const auto truth = read_boolean(value);
  if (truth) {
    into = *truth;
  }
  return truth.has_value();
}

bool read_setting(time_of_day& into, const setting_facts&, const toml_value_ref& value, const path_context&) {
  const auto text = read_text(value);
  const auto at = text ? parse_time_of_day(*text) : std::nullopt;
  if (text && !at) {
    value.refuse("is not a time of day: '" + *text + "'", "write hours and minutes, as \"03:30\"");
  }
  if (at) {
    into = *at;
  }
  return at.has_value();
}

bool read_setting(int& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto number = read_integer(value, facts.range);
  if (number) {
    into = static_cast<int>(*number);
  }
  return number.has_value();
}

bool read_setting(milliseconds& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto length = read_duration(value, {milliseconds{facts.range.min}, milliseconds{facts.range.max}});
  if (length) {
    into = *length;
  }
  return length.has_value();
}

bool read_setting(std::optional<milliseconds>& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context& paths) {
  const auto* text = value.node.as<std::string>();
  if (text != nullptr && *text == no_duration) {
    into.reset();
    return true;
  }
  milliseconds length{0};
  const bool is_read = read_setting(length, facts, value, paths);
  if (is_read) {
    into = length;
  }
  return is_read;
}

bool read_setting(std::size_t& into, const setting_facts& facts, const toml_value_ref& value, const path_context&) {
  const auto bytes = read_size(value, range_of(facts));
  if (bytes) {
    into = static_cast<std::size_t>(*bytes);
  }
  return bytes.has_value();
}

bool read_setting(std::string& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context& paths) {
  auto text = read_text(value);
  if (!text) {
    return false;
  }
  if (text->empty() && !facts.may_be_empty) {
    value.refuse("must not be empty");
    return false;
  }
  if (facts.kind == value_kind::path && !text->empty()) {
    if (text->starts_with('~') && paths.home.empty()) {
      value.refuse("starts with '~', but HOME is not set", "write an absolute path");
      return false;
    }
    text = absolute_path(*text, paths);
  }
  into = std::move(*text);
  return true;
}

bool read_setting(std::vector<std::string>& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context& paths) {
  auto texts = read_texts(value);
  if (!texts) {
    return false;
  }
  if (texts->empty() && !facts.may_be_empty) {
    value.refuse("must not be empty");
    return false;
  }
  if (facts.kind == value_kind::command && !texts->empty()) {
    auto& program = texts->front();
    if (program.empty()) {
      value.refuse("names no program: its first word is empty");
      return false;
    }
    program = program.find('/') == std::string::npos ? program : absolute_path(program, paths);
  }
  for (const auto& text : *texts) {
    if (facts.kind == value_kind::pointers && !is_json_pointer(text)) {
      value.refuse("holds '" + text + "', which is not a JSON pointer", "a JSON pointer is empty or starts with '/'");
      return false;
    }
    if (facts.kind == value_kind::variable_names && !is_variable_name(text)) {
      value.refuse("holds '" + text + "', which is not the name of an environment variable",
                   "names have letters, digits and '_', and do not start with a digit");
      return false;
    }
  }
  into = std::move(*texts);
  return true;
}

bool read_setting(std::vector<int>& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context&) {
  auto numbers = read_integers(value, facts.range);
  if (!numbers) {
    return false;
  }
  if (numbers->empty() && !facts.may_be_empty) {
    value.refuse("must not be empty");
    return false;
  }
  into = std::move(*numbers);
  return true;
}

bool read_setting(std::map<std::string, std::string>& into,
                  const setting_facts& facts,
                  const toml_value_ref& value,
                  const path_context&) {
  const auto* table = value.node.as<toml_table>();
  if (table == nullptr) {
    value.refuse("must be a table of strings; this is " + std::string{kind_name(value.node)});
    return false;
  }
  std::map<std::string, std::string> read;
  for (const auto& member : table->members) {
    const toml_value_ref item{member.value, value.path + '.' + member.key, value.sink};
    std::string hint;
    if (auto refusal = refusal_of_name(facts, member.key, hint); !refusal.empty()) {
      value.sink.error(member.at, item.path, std::move(refusal), std::move(hint));
    } else if (auto text = read_text(item)) {
      read.insert_or_assign(member.key, std::move(*text));
    }
  }
  const bool whole = read.size() == table->members.size();
  if (whole) {
    read.merge(into);
    into = std::move(read);
  }
  return whole;
}

toml_node write_setting(bool value) { return toml_node{value}; }

toml_node write_setting(time_of_day value) { return toml_node{to_text(value)}; }

toml_node write_setting(int value) { return toml_node{std::int64_t{value}}; }

toml_node write_setting(milliseconds value) { return toml_node{to_text(value)}; }

toml_node write_setting(std::optional<milliseconds> value) {
  return value ? write_setting(*value) : toml_node{std::string{no_duration}};
}

toml_node write_setting(std::size_t value) { return toml_node{size_text(static_cast<std::int64_t>(value))}; }

toml_node write_setting(const std::string& value) { return toml_node{value}; }

toml_node write_setting(const std::vector<std::string>& value) {
  return toml_node{toml_list(value.begin(), value.end())};
}

toml_node write_setting(const std::vector<int>& value) {
  toml_list list;
  for (const int number : value) {
    list.emplace_back(std::int64_t{number});
  }
  return toml_node{std::move(list)};
}

toml_node write_setting(const std::map<std::string, std::string>& value) {
  toml_table table;
  for (const auto& [name, text] : value) {
    table.members.push_back({name, {}, toml_node{text}});
  }
  return toml_node{std::move(table)};
}

}  // namespace troupe
