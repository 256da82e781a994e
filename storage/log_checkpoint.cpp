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

result<log_state> log_checkpoint::run() {
  auto* const connection = state_->file.connection().getHandle();
  int pages = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY) {  // busy: somebody else is at it
    return sqlite_error(sqlite3_extended_errcode(connection),
                        sqlite3_errmsg(connection),
                        "the log could not be moved to the database",
                        state_->file.options().path);
  }
  return log_state{pages, moved};
}

}  // namespace troupe
