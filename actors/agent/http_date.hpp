#pragma once

#include "messages/base/time.hpp"

#include <optional>
#include <string_view>

namespace troupe {

/// A date of HTTP in any of its three forms (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. Always UTC. A year of two digits is taken for 1970 to
/// 2069. None if it is no such date.
std::optional<timestamp> parse_http_date(std::string_view text);

}  // namespace troupe
