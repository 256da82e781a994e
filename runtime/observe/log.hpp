// The log of this process: what operators read when something is wrong. What happened in runs is in their events.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <string_view>

namespace troupe {

/// One line of the log with its line break. Called on the thread that logs, one call at a time; must not log.
using log_writer = std::function<void(std::string_view line)>;

/// From now on lines of at least `with.level` go to `with.file`, or to `to_stderr` where that is empty or cannot be
/// opened (it says so). Whole process; nothing goes to stdout. Until another call; again with an empty writer before
/// what it holds is gone.
///
/// human: `07:03:12.482 warning: text`. json: `{"time":…,"level":…,"message":…}`, RFC 3339 in UTC.
void start_log(const log_settings& with, log_writer to_stderr);

}  // namespace troupe
