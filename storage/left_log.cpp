#include "storage/left_log.hpp"

#include "storage/sqlite_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>

namespace troupe {
namespace {

constexpr sqlite3_int64 chunk_bytes = sqlite3_int64{1} << 16U;  // SQLite's files take less than 128 KiB at once

int rewrite(sqlite3_file& log) {
  sqlite3_int64 bytes = 0;
  if (const int failed = log.pMethods->xFileSize(&log, &bytes); failed != SQLITE_OK || bytes == 0) {
    return failed;
  }
  std::string chunk(static_cast<std::size_t>(std::min(bytes, chunk_bytes)), '\0');
  for (sqlite3_int64 at = 0; at < bytes; at += chunk_bytes) {
    const int part = static_cast<int>(std::min(bytes - at, chunk_bytes));
    if (const int failed = log.pMethods->xRead(&log, chunk.data(), part, at); failed != SQLITE_OK) {
      return failed;
    }
    if (const int failed = log.pMethods->xWrite(&log, chunk.data(), part, at); failed != SQLITE_OK) {
      return failed;
    }
  }
  return log.pMethods->xSync(&log, SQLITE_SYNC_NORMAL);
}

}  // namespace

status rewrite_left_log(SQLite::Database& connection, const std::filesystem::path& file) {
  // The write lock: nobody else appends meanwhile. Nothing is written through the transaction itself.
  const SQLite::Transaction alone{connection, SQLite::TransactionBehavior::IMMEDIATE};
  sqlite3_file* log = nullptr;  // of a database in WAL mode
  int code = sqlite3_file_control(connection.getHandle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code == SQLITE_OK && log != nullptr && log->pMethods != nullptr) {
    code = rewrite(*log);
  }
  return code == SQLITE_OK ? status{done}
                           : status{sqlite_error(code, sqlite3_errstr(code), "cannot keep what the log holds", file)};
}

}  // namespace troupe
