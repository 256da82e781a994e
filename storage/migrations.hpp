// The schema, step by step: forward only, one exclusive transaction each, with a copy of the file made before.
#pragma once

#include "messages/base/result.hpp"
#include "storage/schema_sql.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace troupe {

class database;

struct migration_report {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::vector<std::filesystem::path> backups;  ///< `<database>.backup-v<N>-<n>`, the oldest first.
};

/// Brings the file to the last of `sources`. A file that is there already is left alone. Before each step on a file that had
/// rows a verified copy is made. A step that fails is rolled back whole: the file stays at the version before it.
/// Errors: STORAGE_NEWER (the file is beyond `sources`), STORAGE_FULL, INTERNAL (a step's SQL is wrong), or the disk's.
result<migration_report> migrate(database& target, std::span<const migration_source> sources);

std::int64_t latest_version(std::span<const migration_source> sources) noexcept;

error newer_schema(const std::filesystem::path& file, std::int64_t is, std::int64_t known);

}  // namespace troupe
