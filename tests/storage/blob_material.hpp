// Large outputs of a story, and what is in a folder of blobs.
#pragma once

#include "storage/blobs.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

namespace troupe {

/// `told` with both of its streams as files, put there by `store`.
inline record_output as_files(record_output told, blob_store& store) {
  const auto put = [&](const std::string& bytes) -> std::optional<blob_ref> {
    const auto stored = store.put(bytes);
    if (!stored) {
      ADD_FAILURE() << stored.error().message;
      return std::nullopt;
    }
    return *stored;
  };
  told.blobs = {put(*told.standard_output), put(*told.standard_error)};
  return told;
}

/// Names of all plain files below, without their folders.
inline std::set<std::string> file_names(const std::filesystem::path& folder) {
  std::set<std::string> names;
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
      if (!entry.is_directory()) {
        names.insert(entry.path().filename().string());
      }
    }
  }
  return names;
}

inline std::set<std::string> blob_rows(const std::filesystem::path& database) {
  SQLite::Database file{database.string(), SQLite::OPEN_READONLY};
  SQLite::Statement rows{file, "SELECT hash FROM blobs"};
  std::set<std::string> hashes;
  while (rows.executeStep()) {
    hashes.insert(rows.getColumn(0).getString());
  }
  return hashes;
}

/// As a retention will do it: everything of the run goes with its row.
inline void remove_run(const std::filesystem::path& database, const run_id& run) {
  SQLite::Database file{database.string(), SQLite::OPEN_READWRITE, 5'000};
  file.exec("PRAGMA foreign_keys=ON");
  SQLite::Statement remove{file, "DELETE FROM runs WHERE run_id = ?"};
  remove.bind(1, run.str());
  remove.exec();
}

}  // namespace troupe
