#include "storage/sqlite_error.hpp"

#include "storage/system_error.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <string>

namespace troupe {
namespace {

struct meaning {
  error_code code;
  std::string_view hint;
};

constexpr meaning disk_is_full{error_code::storage_full,
                               "free some space on this file system, then try again: nothing was lost"};

// Whether the system may have refused it for the sake of rights: SQLite does not keep its word.
bool is_refusal(int code) noexcept {
  const int kind = code & 0xFF;
  return kind == SQLITE_PERM || kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN || code == SQLITE_IOERR_WRITE ||
         code == SQLITE_IOERR_TRUNCATE || code == SQLITE_IOERR_FSYNC;
}

meaning meaning_of(int code) {
  if (code == SQLITE_IOERR_SHMSIZE) {
    return disk_is_full;  // -shm cannot grow: SQLite has no better word for it there
  }
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return disk_is_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {error_code::storage_corrupt,
              "the file was left as it is; `troupe db check` tells more, a backup beside it may be whole"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {error_code::storage_busy, "another program holds the database; close it, or try again"};
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return {error_code::storage_unavailable, "look at the owner and mode of the file and its folder"};
    case SQLITE_CANTOPEN:
      return {error_code::storage_unavailable,
              "look at the path, and at the owner and mode of the file and its folder"};
    case SQLITE_IOERR:
    case SQLITE_NOLFS:
      return {error_code::storage_unavailable, "the disk or file system gave an error; look at the system's log"};
    case SQLITE_NOMEM:
      return {error_code::storage_unavailable, "there is no memory left"};
    case SQLITE_INTERRUPT:
      return {error_code::storage_unavailable, ""};
    case SQLITE_TOOBIG:
      return {error_code::output_too_large, "SQLite takes values of up to 1,000,000,000 bytes"};
    default:
      return {error_code::internal, ""};
  }
}

}  // namespace

error sqlite_error(int code, std::string_view text, std::string_view doing, const std::filesystem::path& file) {
  const auto [kind, hint] = meaning_of(code);
  std::string message{doing};
  message += ": ";
  message += text;
  message += " (SQLite ";
  message += std::to_string(code & 0xFF);
  message += '/';
  message += std::to_string(code);
  message += ')';
  if (const int refused = is_refusal(code) ? why_not_writable(file) : 0; refused != 0) {
    return system_error(refused, message, file);
  }
  message += ", " + file.string();
  return {kind, std::move(message), std::string{hint}};
}

error sqlite_error(const SQLite::Exception& thrown, std::string_view doing, const std::filesystem::path& file) {
  return sqlite_error(thrown.getExtendedErrorCode(), thrown.what(), doing, file);
}

bool ends_session(int code) noexcept {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_NOLFS:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
      return true;
    default:
      return false;
  }
}

}  // namespace troupe
