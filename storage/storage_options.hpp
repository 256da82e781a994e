// How the database file is opened. Filled from [storage]; the ranges are config/'s to check.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace troupe {

/// What is done to the files of large outputs, in small steps (storage/blobs.hpp).
enum class blob_step : std::uint8_t { make_folder, create, write, sync_file, rename, sync_folder, sync_log, remove };

/// Asked before each step: an errno that the step is to fail with, undone; 0: it is done.
using blob_step_hook = std::function<int(blob_step)>;

struct storage_options {
  enum class durability {
    full,    ///< An acknowledged commit survives a power cut (synchronous=FULL).
    normal,  ///< It survives the death of the process; the last ones may be lost with the power (synchronous=NORMAL).
  };

  std::filesystem::path path;  ///< The database file. Beside it: -wal, -shm, .lock, .blobs, .backup-v<N>-<n>.
  durability synchronous = durability::full;
  milliseconds busy_timeout{5'000};                           ///< How long to wait for another program's lock.
  std::int64_t cache_kib = 32'000;                            ///< Page cache of each connection.
  std::int64_t mmap_bytes = std::int64_t{1} << 30U;           ///< 0: none. At most 2,147,418,112.
  std::int64_t journal_size_limit = std::int64_t{64} << 20U;  ///< Bytes that an idle WAL file may keep.
  std::int64_t wal_autocheckpoint = 1'000;                    ///< Pages of WAL after which a commit checkpoints.
  std::string vfs;                  ///< Empty: the system's. Tests name one that injects faults.
  blob_step_hook before_blob_step;  ///< Empty but in tests, which inject faults and deaths here.
  /// Asked before each COMMIT of a write session: the error that it is to fail with, or nothing. STORAGE_BUSY takes the
  /// transaction back, any other one breaks the session, as SQLite's own would. Empty but where faults were ordered.
  std::function<std::optional<error>()> before_commit;
};

}  // namespace troupe
