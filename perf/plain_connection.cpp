#include "perf/plain_connection.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace troupe::perf {

plain_connection::plain_connection(const std::filesystem::path& path) {
  must(sqlite3_open_v2(path.c_str(), &connection_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) == SQLITE_OK);
  sqlite3_busy_timeout(connection_, 5'000);
  run("PRAGMA foreign_keys=ON; PRAGMA cache_size=-32000; PRAGMA mmap_size=1073741824");
}

plain_connection::~plain_connection() {
  for (const auto& [sql, statement] : kept_) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(connection_);
}

void plain_connection::must(bool is_good) const {
  if (!is_good) {
    throw std::runtime_error{sqlite3_errmsg(connection_)};
  }
}

void plain_connection::run(const std::string& sql) {
  must(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

sqlite3_stmt* plain_connection::prepared(const char* sql) {
  auto& statement = kept_[sql];
  if (statement == nullptr) {
    must(sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK);
  }
  return statement;
}

std::int64_t plain_connection::number(const char* sql) {
  auto* const statement = prepared(sql);
  const int code = sqlite3_step(statement);
  const auto value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  must(code == SQLITE_ROW || code == SQLITE_DONE);
  return value;
}

std::size_t plain_connection::read(const char* sql, std::string_view text) {
  auto* const statement = prepared(sql);
  sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  if (sqlite3_bind_parameter_count(statement) > 1) {
    sqlite3_bind_int64(statement, 2, 0);
  }
  std::size_t bytes = 0;
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* const value = sqlite3_column_text(statement, i);
      bytes += value == nullptr ? 0 : std::string_view{reinterpret_cast<const char*>(value)}.size();
    }
  }
  sqlite3_reset(statement);
  must(code == SQLITE_DONE);
  return bytes;
}

}  // namespace troupe::perf
