// Everything that is in a database, to compare two moments.
#pragma once

#include "messages/base/sha256.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace troupe {

/// Every row of every table, as text; without the statistics that SQLite keeps for itself.
inline std::string all_rows(const std::filesystem::path& path) {
  SQLite::Database file{path.string(), SQLite::OPEN_READONLY};
  std::string text;
  SQLite::Statement tables{
      file, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"};
  while (tables.executeStep()) {
    const auto table = tables.getColumn(0).getString();
    text += table + '\n';
    SQLite::Statement rows{file, "SELECT * FROM \"" + table + "\" ORDER BY 1"};
    while (rows.executeStep()) {
      for (int i = 0; i < rows.getColumnCount(); ++i) {
        text += rows.isColumnNull(i) ? "NULL" : rows.getColumn(i).getString();
        text += '|';
      }
      text += '\n';
    }
  }
  return text;
}

inline std::int64_t count_of(const std::filesystem::path& path, const std::string& query) {
  SQLite::Database file{path.string(), SQLite::OPEN_READONLY};
  return file.execAndGet(query).getInt64();
}

inline std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary | std::ios::ate};
  std::string bytes(file ? static_cast<std::size_t>(file.tellg()) : 0, '\0');
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

/// Stands for the bytes of a file where a failure should not print them.
inline std::string fingerprint_of(const std::filesystem::path& path) { return sha256_hex(bytes_of_file(path)); }

}  // namespace troupe
