// The outermost level of canonical JSON, cut into the texts of its parts: enough to find out which fields of a state
// changed and to put a state together again, without a parser.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Where a member of an object stands in its text.
struct member_place {
  std::size_t name = 0;   ///< Of the quotation mark before its name.
  std::size_t value = 0;  ///< Of the first byte of its value.
  std::size_t end = 0;    ///< Behind its value.
};

/// The members of an object in their order. Empty optional: `object` is not an object in canonical form.
std::optional<std::vector<member_place>> find_members(std::string_view object);

/// The members of an object in their order: name (escapes resolved) and the text of the value, a view into `object`.
/// Empty optional: `object` is not an object in canonical form.
std::optional<std::vector<std::pair<std::string, std::string_view>>> split_object(std::string_view object);

/// The texts of an array's elements, views into `array`.
std::optional<std::vector<std::string_view>> split_array(std::string_view array);

/// The text of a JSON string, quotes and escapes resolved.
std::optional<std::string> decode_string(std::string_view quoted);

}  // namespace troupe
