// JSON where it is looked into: parsed strictly, written canonically.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Nesting that parse() follows; deeper is OUTPUT_INVALID.
inline constexpr std::size_t json_depth_max = 128;

/// RFC 8259, whole text, UTF-8. Of a key that comes twice the last counts. OUTPUT_INVALID names line, column and byte.
/// A number that no double holds (1e999) is refused.
result<boost::json::value> parse(std::string_view text);

/// What canonical() wrote. A bug if it is not JSON.
boost::json::value parse(const json_text& text);

/// The same of a part of such a text.
boost::json::value parse_canonical(std::string_view text);

/// The contract's canonical form (section 5): see json_text.
json_text canonical(const boost::json::value& value);

/// RFC 6901. Null where the pointer leads nowhere; `""` is the whole value.
const boost::json::value* find(const boost::json::value& value, std::string_view pointer);

/// The first name that a pointer goes by, its escapes undone. None where it is empty, or no pointer.
std::optional<std::string> first_name(std::string_view pointer);

/// `sha256:` and the hex digest of the text.
std::string state_hash(const json_text& state);

}  // namespace troupe
