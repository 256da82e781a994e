// Points in time and the clock that everybody is handed. Nobody below runtime/ reads a clock of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

using namespace std::chrono_literals;

/// UTC, whole microseconds since 1970. Stored as an integer of that meaning: never change the unit.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using milliseconds = std::chrono::milliseconds;

/// The time of day for rows and people. Implemented by runtime/ (system clock) and by tests (virtual).
class clock_port {
 public:
  virtual ~clock_port() = default;
  /// Any thread; does not block.
  virtual timestamp now() const = 0;
};

/// RFC 3339 in UTC with microseconds: `2026-11-21T07:03:12.000125Z`.
std::string to_rfc3339(timestamp at);

/// Durations of configuration: `250ms`, `5s`, `10m`, `24h`, `90d`. Nothing else; no sign, no fraction; up to 100 years.
std::optional<milliseconds> parse_duration(std::string_view text);
/// A time of day: `03:30`, from 00:00 to 23:59.
struct time_of_day {
  std::chrono::minutes after_midnight{0};

  friend bool operator==(const time_of_day&, const time_of_day&) = default;
};

/// Two digits, a colon, two digits; nothing else.
std::optional<time_of_day> parse_time_of_day(std::string_view text);
std::string to_text(time_of_day at);

/// The shortest spelling that parse_duration reads back: `90s`, `1h`, `250ms`.
std::string to_text(milliseconds length);

}  // namespace troupe
