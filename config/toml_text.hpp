// Values as text: TOML for people and for pinned files, canonical JSON for everything inside. And JSON back to a value,
// because a workflow made in C++ is checked as if it had been written in a file.
#pragma once

#include "config/toml_document.hpp"
#include "messages/base/json_text.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// A key as it stands before `=`: bare where TOML allows it, else quoted.
std::string toml_key(std::string_view key);

/// A basic string with quotes, on one line.
std::string toml_string(std::string_view text);

/// A value on one line; tables inline, lists in brackets.
void append_toml(std::string& out, const toml_node& node);
std::string toml_value(const toml_node& node);

/// Canonical JSON; dates are strings. The node holds no infinity and no NaN: see find_not_finite.
void append_json(std::string& out, const toml_node& node);
json_text to_json(const toml_node& node);

/// The first number in the tree that JSON does not have.
const toml_node* find_not_finite(const toml_node& node) noexcept;

/// Nothing if it is not one JSON document, or holds a null, which TOML does not have. Integers stay integers where they
/// fit in 64 bits. Nesting deeper than 200 is refused.
std::optional<toml_node> parse_json(std::string_view text);

}  // namespace troupe
