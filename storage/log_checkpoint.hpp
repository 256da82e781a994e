// Moves what is committed from the log (-wal) to the database, beside the writer and out of its commits' way.
#pragma once

#include "messages/base/result.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <memory>

namespace troupe {

struct log_state {
  std::int64_t pages = 0;  ///< In the log.
  std::int64_t moved =
      0;  ///< Of them, those that are in the database: when all are, the next commit begins the log anew.
};

/// A connection that changes no row: SQLite refuses it (query_only). One thread at a time; `run` blocks on the disk, for
/// two syncs and the writing of what was in the log, and keeps nobody from reading or committing meanwhile (PASSIVE;
/// sqlite.org/wal.html, "Checkpointing").
class log_checkpoint {
 public:
  /// The database must be there and migrated. Errors: as database::open.
  static result<std::unique_ptr<log_checkpoint>> open(const storage_options& options);

  log_checkpoint(const log_checkpoint&) = delete;
  log_checkpoint& operator=(const log_checkpoint&) = delete;
  ~log_checkpoint();

  /// As far as it goes: readers hold back what came after their transaction began. STORAGE_*: the disk gave an error;
  /// nothing is lost, the log still has it all.
  result<log_state> run();

 private:
  struct state;
  explicit log_checkpoint(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
