// The log that somebody left behind, before anything is built on it.
#pragma once

#include "messages/base/result.hpp"

#include <filesystem>

namespace SQLite {
class Database;
}

namespace troupe {

/// Writes the content of the write-ahead log over itself and syncs it, so that what SQLite recovers from it is on the
/// disk. Without this it need not be: where a sync failed, the system takes the pages that it could not write for
/// written, goes on showing them, and no later sync writes them again. A commit that failed so may be found in the log
/// by the next session, be acknowledged as a repeat, and be gone with the power; or be carried over into the file in
/// part, which then does not fit a log without it.
///
/// Waits up to busy_timeout for another program's transaction. Cheap where the log is empty, as after an ordinary end.
/// Throws SQLite::Exception.
status rewrite_left_log(SQLite::Database& connection, const std::filesystem::path& file);

}  // namespace troupe
