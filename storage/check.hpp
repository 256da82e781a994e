// `db check`, `db info`, `db backup`: what is in the file, and whether it is as it should be.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/result.hpp"
#include "messages/maintenance.hpp"
#include "messages/run.hpp"
#include "storage/lease.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

struct finding {
  std::string rule;  ///< `integrity`, `foreign_key`, or one of Troupe's own: docs/schema.md lists them.
  std::string text;  ///< What is wrong and where.
};

/// SQLite's integrity_check and foreign_key_check, then our own invariants. Empty: all is well. Reads only, and reads
/// everything. An error only where nothing could be read at all (STORAGE_*).
result<std::vector<finding>> check_database(const storage_options& options);

struct database_info {
  std::filesystem::path path;
  std::int64_t file_bytes = 0;
  std::int64_t wal_bytes = 0;
  std::int64_t page_size = 0;
  std::int64_t page_count = 0;
  std::int64_t free_pages = 0;
  std::int64_t schema_version = 0;
  std::int64_t latest_schema_version = 0;                    ///< That this build knows.
  std::vector<std::pair<std::string, std::string>> pragmas;  ///< Of the file: name, value.
  std::vector<std::pair<run_state, std::int64_t>> runs;      ///< How many in each state; all states, in their order.
  std::vector<std::pair<std::string, std::int64_t>> rows;    ///< How many in each table, by name.
  vacuum_history vacuum;
  lease_epoch epoch;                        ///< 0: nobody has written yet.
  std::optional<lease_holder> last_holder;  ///< Who took the newest epoch.
  bool is_held = false;                     ///< That one still lives.
};

result<database_info> describe_database(const storage_options& options);

/// A verified copy, made while others write: 0600, complete, checked by integrity_check and synced before it takes the
/// name `target`. `target` must not exist (DUPLICATE_ID). STORAGE_FULL when there is no room for it.
status backup_database(const storage_options& options, const std::filesystem::path& target);

}  // namespace troupe
