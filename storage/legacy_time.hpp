// Times of the older system, in each of the forms that it wrote them in.
#pragma once

#include "messages/base/time.hpp"
#include "storage/legacy_row.hpp"

#include <optional>

namespace troupe {

/// Reads, as an integer, a real or a text of digits (with or without a fraction): seconds or milliseconds since 1970;
/// and as a text: `2025-10-18 12:34:56`, `2025-10-18T12:34:56.123+02:00`, with `T` or a blank, with or without seconds,
/// a fraction, and `Z`, `UTC` or an offset. Without an offset it is UTC, as SQLite's CURRENT_TIMESTAMP writes it. What is
/// finer than a microsecond is not kept.
///
/// Only times from 2000 to 2099 are believed: so seconds and milliseconds cannot be taken for one another, and a zero or
/// a counter is no time. Nothing for anything else; a date without a time of day is none, since the hour would be
/// invented.
std::optional<timestamp> parse_legacy_time(const legacy_value& value);

}  // namespace troupe
