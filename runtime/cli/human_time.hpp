// Times and sizes for people. Programs get RFC 3339 and numbers.
#pragma once

#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// `0.4s`, `12.3s`, `2m05s`, `1h02m`, `3d04h`.
std::string human_duration(std::chrono::microseconds length);

/// `0s`, `12s`, `2m05s`: whole seconds, for what is redrawn while it runs.
std::string whole_seconds(std::chrono::microseconds length);

/// In the time zone of the machine: `2026-11-21 07:03:12`.
std::string local_time(timestamp at);

/// `07:03:12.482`
std::string local_clock(timestamp at);

/// `2026-11-21 07:03:12`, without the date where that is today's.
std::string local_time_near(timestamp at, timestamp now);

/// `512 B`, `48.2 KiB`, `1.5 GiB`.
std::string human_bytes(std::int64_t bytes);

}  // namespace troupe
