// Processes that a runtime, its custodian and its keepers left behind when all of them were killed at once.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// An attempt that its rows call running, though its owner is dead; or a run that is not over: the owner may have died
/// between the start of a process and the commit of its row.
struct leftover {
  run_id run;
  std::int64_t pid = 0;                   ///< 0: not known.
  std::int64_t start_time = 0;            ///< Field 22 of /proc/PID/stat.
  std::optional<timestamp> started_at{};  ///< Of the attempt; none: not known.
};

/// When this machine was started, by its clock of today.
timestamp boot_time();

/// Waits until these processes are gone, at most `patience`; returns how many it had to kill.
///
/// What is still in custody ends by itself, within a second of its owner, and is waited for; so are custodians of this
/// database, which may be about to become an agent. What is not is known by the TROUPE_RUN_ID and
/// the TROUPE_DATABASE (`database`, an absolute path) in its environment, whatever its parent, group and session, and gets
/// SIGKILL; so do the children that it forks meanwhile.
/// Processes of another live runtime have another database, and are not touched. A pid alone is never killed: a process of that number
/// with another start time, or of an attempt from before `booted_at`, since when start times are counted anew, is not even
/// waited for. Linux: /proc. Blocks; any thread.
int end_leftovers(const std::vector<leftover>& all,
                  const std::string& database,
                  milliseconds patience,
                  timestamp booted_at = boot_time());

}  // namespace troupe
