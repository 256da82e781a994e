// A TOML file as a tree that knows where each thing stands: the only place that knows the TOML library is its source.
#pragma once

#include "config/problem.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// Line and column (code points) from 1; 0 where unknown.
struct toml_place {
  int line = 0;
  int column = 0;
};

struct toml_node;
struct toml_member;

/// A date, a time or both, as TOML spells it (RFC 3339).
struct toml_date {
  std::string text;
};

using toml_list = std::vector<toml_node>;

/// Members in the order of the file.
struct toml_table {
  std::vector<toml_member> members;

  const toml_node* find(std::string_view key) const noexcept;
};

struct toml_node {
  using variant = std::variant<bool, std::int64_t, double, std::string, toml_date, toml_list, toml_table>;

  variant value;  // defined away from here: it holds lists and tables of what is not complete yet
  toml_place begin;
  toml_place end;  ///< One past the last character; of a table header for tables.

  toml_node();  ///< `false`.
  toml_node(const toml_node&);
  toml_node(toml_node&&) noexcept;
  toml_node& operator=(const toml_node&);
  toml_node& operator=(toml_node&&) noexcept;
  ~toml_node();
  toml_node(variant held, toml_place from = {}, toml_place to = {});  // NOLINT(google-explicit-constructor)

  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&value);
  }
};

struct toml_member {
  std::string key;
  toml_place at;  ///< Of the key.
  toml_node value;
};

/// `a string`, `an integer`, `a list`, ...: for "must be X; this is Y".
std::string_view kind_name(const toml_node& node) noexcept;

struct toml_document {
  toml_table root;
  std::optional<problem> fault;  ///< It is not TOML (the first place where it is not); `root` is then empty.
};

/// Pure. Nesting deeper than 256 is a fault.
toml_document parse_toml(std::string_view text, const std::string& file_name, error_code code);

/// The characters of `text` from `from` to `to`, as a node's places give them.
std::string raw_text(std::string_view text, toml_place from, toml_place to);

}  // namespace troupe
