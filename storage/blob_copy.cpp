#include "storage/blob_copy.hpp"

#include "storage/blobs.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>

namespace troupe {
namespace {

namespace fs = std::filesystem;

bool refers_to(const SQLite::Database& database, const std::string& hash) {
  SQLite::Statement row{database, "SELECT 1 FROM blobs WHERE hash = ?"};
  row.bind(1, hash);
  return row.executeStep();
}

error no_possible_hash(const std::string& hash) {
  return {error_code::storage_corrupt,
          "a row of blobs has no possible hash: " + hash,
          "`troupe db check` tells what is wrong with the database"};
}

}  // namespace

result<bool> copy_blobs(const SQLite::Database& copy,
                        const SQLite::Database& live,
                        const fs::path& from,
                        const fs::path& to) {
  if (!copy.tableExists("blobs")) {
    return true;
  }
  blob_store target{to};
  SQLite::Statement rows{copy, "SELECT hash, bytes FROM blobs"};
  while (rows.executeStep()) {
    const auto hash = rows.getColumn(0).getString();
    const auto digest = digest_from_hex(hash);
    if (!digest) {
      return no_possible_hash(hash);
    }
    const auto taken = target.take({*digest, rows.getColumn(1).getInt64()}, from);
    if (!taken && taken.error().code == error_code::storage_corrupt && !refers_to(live, hash)) {
      return false;
    }
    if (!taken) {
      return taken.error();
    }
  }
  return true;
}

}  // namespace troupe
