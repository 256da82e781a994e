#include "storage/log_checkpoint.hpp"

#include "storage/database.hpp"
#include "storage/sqlite_error.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <utility>

namespace troupe {

struct log_checkpoint::state {
  database file;
};

log_checkpoint::log_checkpoint(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

log_checkpoint::~log_checkpoint() = default;

result<std::unique_ptr<log_checkpoint>> log_checkpoint::open(const storage_options& options) {
  auto opened = database::open(options);
  if (!opened) {
    return opened.error();
  }
  try {
    opened->connection().exec("PRAGMA query_only=ON");
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot open the database for checkpoints", options.path);
  }
  return std::unique_ptr<log_checkpoint>{new log_checkpoint{std::make_unique<state>(state{*std::move(opened)})}};
}

result<log_state> log_checkpoint::move() { return checkpoint(SQLITE_CHECKPOINT_PASSIVE, milliseconds{0}); }

result<log_state> log_checkpoint::begin_anew(milliseconds patience) {
  return checkpoint(SQLITE_CHECKPOINT_RESTART, patience);
}

result<log_state> log_checkpoint::checkpoint(int mode, milliseconds patience) {
  auto* const connection = state_->file.connection().getHandle();
  sqlite3_busy_timeout(connection, static_cast<int>(patience.count()));
  int pages = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection, "main", mode, &pages, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY) {  // busy: somebody else is at it
    return sqlite_error(sqlite3_extended_errcode(connection),
                        sqlite3_errmsg(connection),
                        "the log could not be moved to the database",
                        state_->file.options().path);
  }
  return log_state{pages, code == SQLITE_OK && mode == SQLITE_CHECKPOINT_RESTART};
}

}  // namespace troupe
