#pragma once

#include "messages/base/time.hpp"

#include <chrono>

namespace troupe {

/// For lengths of time: never set, never set back.
using instant = std::chrono::steady_clock::time_point;

/// Now, by both clocks: the time of day for quotas of a day, rows and people.
struct moment {
  timestamp day;
  instant steady;
};

}  // namespace troupe
