// A disk whose sync takes longer, under SQLite: what this machine's own takes, and a sleep. Everything else is the
// system's.
#pragma once

#include <chrono>
#include <string>

namespace troupe::perf {

/// Name of the file system, for storage_options::vfs. Registered by the first call, for the life of the process; a later
/// one may not name another time.
std::string slow_disk(std::chrono::microseconds sync_takes_longer);

}  // namespace troupe::perf
