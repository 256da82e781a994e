// A database file of a given size in which next to nothing lives any more, as a long life with deletions leaves it.
#pragma once

#include "storage/database.hpp"
#include "storage/migrations.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace troupe {

/// Which rows stay when the file has its size.
enum class survivors {
  three,         ///< The first, one in the middle and the last, which is at the end of the file.
  every_second,  ///< So that most of the end of the file lives, and has to be moved.
};

/// Makes the file; it must not be there. Schema and settings are the product's, the rows are of `archives`.
inline void make_bloated_database(const storage_options& options,
                                  std::int64_t bytes,
                                  survivors who = survivors::three) {
  auto opened = database::open(options);
  if (!opened || !migrate(*opened, migration_sources())) {
    throw std::runtime_error{"cannot make the database"};
  }
  auto& file = opened->connection();
  file.exec("PRAGMA synchronous=OFF");
  SQLite::Statement insert{file,
                           "INSERT INTO archives (subject, path, hash, bytes, manifest, created_at)"
                           " VALUES ('s', 'p' || ?1, 'h', 1, json_quote(hex(zeroblob(?2))), ?1)"};
  int rows = 0;
  const auto size = [&] {
    return file.execAndGet("PRAGMA page_count").getInt64() * file.execAndGet("PRAGMA page_size").getInt64();
  };
  while (size() < bytes) {
    file.exec("BEGIN");
    for (int i = 0; i < 200; ++i) {
      insert.bind(1, ++rows);
      insert.bind(2, 300 + rows * 37 % 4'000);  // 0.6 to 8.6 KB, so that some have pages of their own
      insert.exec();
      insert.reset();
    }
    file.exec("COMMIT");
  }
  const auto last = std::to_string(rows);
  file.exec(who == survivors::three
                ? "DELETE FROM archives WHERE id NOT IN (1, " + std::to_string(rows / 2) + ", " + last + ")"
                : std::string{"DELETE FROM archives WHERE id % 2 = 0"});
  file.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace troupe
