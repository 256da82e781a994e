// One connection to the database file, opened as requirements ST-1 says and proven to be so.
#pragma once

#include "messages/base/result.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <memory>

namespace SQLite {
class Database;
}

namespace troupe {

/// `PRAGMA application_id` of every file of ours: "Trup". Stored in the header: never change.
inline constexpr std::int64_t database_application_id = 0x54727570;

/// The folder of the file: made (0700) where it is missing. Refuses a folder in the place of the file.
status prepare_place(const storage_options& options);

/// A connection. One thread at a time; every call may block on the disk, up to busy_timeout on another program's lock.
///
/// Opening never deletes, moves or overwrites a file that is there. What it refuses:
///   STORAGE_UNAVAILABLE  a folder in the place of the file, somebody else's database, no file at all (read-only), a
///                        pragma that did not take (named)
///   STORAGE_DENIED       a missing permission for the file or its folder
///   STORAGE_READONLY     for writing: a file system that may only be read
///   STORAGE_CORRUPT      not a database, or a damaged one
///   STORAGE_FULL         no room to create the file or to convert it
///   STORAGE_BUSY         another program holds it for longer than busy_timeout
///   STORAGE_NEWER        a newer schema than this build knows
class database {
 public:
  /// For writing. Creates the file (0600) and its folder (0700) where missing; converts a file without incremental
  /// vacuum (VACUUM, after looking whether there is room); makes sure that a log which was left behind is on the disk
  /// (left_log.hpp). Does not migrate: see migrations.hpp.
  static result<database> open(const storage_options& options);

  /// For reading: SQLite itself refuses every write through it. The file must be there, be ours and be migrated.
  static result<database> open_read_only(const storage_options& options);

  database(database&&) noexcept;
  database& operator=(database&&) noexcept;
  ~database();  ///< Closes, nothing more.

  /// What a writer does before it closes (ST-11): analysis_limit=400, optimize, checkpoint TRUNCATE. Each as far as it
  /// goes: a reader in its transaction delays the checkpoint to the next close.
  void tidy() noexcept;

  const storage_options& options() const noexcept;

  /// For the sources of storage/, which include SQLiteCpp.
  SQLite::Database& connection() noexcept;

 private:
  struct state;
  explicit database(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
