// Moves what is committed from the log (-wal) to the database, beside the writer and out of its commits' way.
#pragma once

#include "messages/base/result.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <memory>

namespace troupe {

struct log_state {
  std::int64_t pages = 0;    ///< In the log.
  bool begins_anew = false;  ///< The next commit overwrites it from its start: certain after `begin_anew` only.
};

/// A connection that changes no row: SQLite refuses it (query_only). One thread at a time; each call blocks on the disk,
/// for two syncs and the writing of what was in the log (sqlite.org/wal.html, "Checkpointing").
class log_checkpoint {
 public:
  /// The database must be there and migrated. Errors: as database::open.
  static result<std::unique_ptr<log_checkpoint>> open(const storage_options& options);

  log_checkpoint(const log_checkpoint&) = delete;
  log_checkpoint& operator=(const log_checkpoint&) = delete;
  ~log_checkpoint();

  /// Moves as much as goes without keeping anybody from reading or committing (PASSIVE): readers hold back what came after
  /// their transaction began. STORAGE_*: the disk gave an error; nothing is lost, the log still has it all.
  result<log_state> move();

  /// Moves the rest, too, and lets the log begin anew, which a log that is always read or written never does by itself.
  /// Waits for the commit and for the readers under way, at most `patience` each; nobody commits meanwhile (RESTART). So:
  /// after move, and while the readers of one's own pause (read_pool::pause).
  result<log_state> begin_anew(milliseconds patience);

 private:
  struct state;
  explicit log_checkpoint(std::unique_ptr<state> opened) noexcept;

  result<log_state> checkpoint(int mode, milliseconds patience);

  std::unique_ptr<state> state_;
};

}  // namespace troupe
