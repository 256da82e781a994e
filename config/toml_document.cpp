#include "config/toml_document.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

toml_place place_of(const toml::source_position& at) {
  return {static_cast<int>(at.line), static_cast<int>(at.column)};
}

bool is_before(toml_place a, toml_place b) { return std::tuple{a.line, a.column} < std::tuple{b.line, b.column}; }

template <class Date>
toml_date date_of(const Date& date) {
  std::ostringstream text;
  text << date;
  return {std::move(text).str()};
}

toml_node convert(const toml::node& node);

toml_table convert(const toml::table& table) {
  toml_table out;
  out.members.reserve(table.size());
  for (const auto& [key, value] : table) {
    out.members.push_back({std::string{key.str()}, place_of(key.source().begin), convert(value)});
  }
  std::stable_sort(out.members.begin(), out.members.end(), [](const toml_member& a, const toml_member& b) {
    return is_before(a.at, b.at);
  });
  return out;
}

toml_list convert(const toml::array& array) {
  toml_list out;
  out.reserve(array.size());
  for (const auto& item : array) {
    out.push_back(convert(item));
  }
  return out;
}

toml_node::variant value_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return convert(*node.as_table());
    case toml::node_type::array:
      return convert(*node.as_array());
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    case toml::node_type::date:
      return date_of(node.as_date()->get());
    case toml::node_type::time:
      return date_of(node.as_time()->get());
    case toml::node_type::date_time:
      return date_of(node.as_date_time()->get());
    case toml::node_type::none:
      break;
  }
  return false;
}

toml_node convert(const toml::node& node) {
  return {value_of(node), place_of(node.source().begin), place_of(node.source().end)};
}

std::string one_line(std::string_view text) {
  std::string out{text};
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// Byte offset of a place; the end of the text if it lies behind it.
std::size_t offset_of(std::string_view text, toml_place at) {
  std::size_t offset = 0;
  for (int line = 1; line < at.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == std::string_view::npos) {
      return text.size();
    }
    offset = end + 1;
  }
  for (int column = 1; column < at.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U) {
      ++offset;
    }
  }
  return offset;
}

}  // namespace

toml_node::toml_node() = default;
toml_node::toml_node(const toml_node&) = default;
toml_node::toml_node(toml_node&&) noexcept = default;
toml_node& toml_node::operator=(const toml_node&) = default;
toml_node& toml_node::operator=(toml_node&&) noexcept = default;
toml_node::~toml_node() = default;

toml_node::toml_node(variant held, toml_place from, toml_place to) : value(std::move(held)), begin(from), end(to) {}

const toml_node* toml_table::find(std::string_view key) const noexcept {
  for (const auto& member : members) {
    if (member.key == key) {
      return &member.value;
    }
  }
  return nullptr;
}

std::string_view kind_name(const toml_node& node) noexcept {
  struct names {
    std::string_view operator()(bool) const { return "a boolean"; }

    std::string_view operator()(std::int64_t) const { return "an integer"; }

    std::string_view operator()(double) const { return "a number"; }

    std::string_view operator()(const std::string&) const { return "a string"; }

    std::string_view operator()(const toml_date&) const { return "a date or time"; }

    std::string_view operator()(const toml_list&) const { return "a list"; }

    std::string_view operator()(const toml_table&) const { return "a table"; }
  };

  return std::visit(names{}, node.value);
}

toml_document parse_toml(std::string_view text, const std::string& file_name, error_code code) {
  toml_document out;
  try {
    out.root = convert(toml::parse(text, std::string_view{file_name}));
  } catch (const toml::parse_error& failure) {
    const auto at = place_of(failure.source().begin);
    out.fault = problem{problem::severity::error,
                        code,
                        {file_name, std::max(at.line, 1), std::max(at.column, 1)},
                        {},
                        "this is not TOML: " + one_line(failure.description()),
                        "the format is described at https://toml.io/en/v1.0.0"};
  }
  return out;
}

std::string raw_text(std::string_view text, toml_place from, toml_place to) {
  const std::size_t first = offset_of(text, from);
  const std::size_t last = offset_of(text, to);
  return std::string{text.substr(first, last > first ? last - first : 0)};
}

}  // namespace troupe
