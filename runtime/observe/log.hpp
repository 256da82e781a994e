// The log of this process: what operators read when something is wrong. What happened in runs is in their events.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One line of the log with its line break. Called on the thread that logs, one call at a time; must not log.
using log_writer = std::function<void(std::string_view line)>;

/// From now on lines of at least `with.level` go to `with.file`, or to `to_stderr` where that is empty or cannot be
/// opened (it says so). Whole process; nothing goes to stdout. Until another call, also while others log: when it returns,
/// the writer before is not under way and not called again. Again with an empty writer before what it holds is gone. The
/// first call of the process comes before other threads log; not from two threads at once.
///
/// human: `07:03:12.482 warning: text (r-1/2/ask/claude, attempt 2)`. json: `{"time":…,"level":…,"message":…}`, RFC 3339
/// in UTC, with `run`, `step`, `task` and `attempt` where they are known (actors/log_place.hpp).
void start_log(const log_settings& with, log_writer to_stderr);

/// As settings spell it.
std::string_view to_string(log_level level) noexcept;
std::optional<log_level> log_level_from(std::string_view name) noexcept;
/// From the least severe line to none.
std::vector<std::string> log_level_names();

/// The least severe lines that are logged from now on, also after another call of start_log, but for one with an empty
/// writer and no file. Any thread.
void set_log_level(log_level level);

}  // namespace troupe
