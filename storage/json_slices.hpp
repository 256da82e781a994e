// The outermost level of canonical JSON, cut into the texts of its parts: enough to find out which fields of a state
// changed and to put a state together again, without a parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// The members of an object in their order: name (escapes resolved) and the text of the value, a view into `object`.
/// Empty optional: `object` is not an object in canonical form.
std::optional<std::vector<std::pair<std::string, std::string_view>>> split_object(std::string_view object);

/// The texts of an array's elements, views into `array`.
std::optional<std::vector<std::string_view>> split_array(std::string_view array);

/// The text of a JSON string, quotes and escapes resolved.
std::optional<std::string> decode_string(std::string_view quoted);

}  // namespace troupe
