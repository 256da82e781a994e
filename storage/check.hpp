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

/// SQLite's integrity_check and foreign_key_check, then our own invariants, then every large output (rule `blob`: its
/// file is there, with its size and hash). Empty: all is well. Reads only, and reads everything. An error only where nothing could be read at all (STORAGE_*).
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
  std::int64_t blobs = 0;                   ///< Large outputs: files beside the database.
  std::int64_t blob_bytes = 0;              ///< Of them.
  lease_epoch epoch;                        ///< 0: nobody has written yet.
  std::optional<lease_holder> last_holder;  ///< Who took the newest epoch.
  bool is_held = false;                     ///< That one still lives.
};

result<database_info> describe_database(const storage_options& options);

/// A verified copy, made while others write: 0600, complete, checked by integrity_check and synced before it takes the
/// name `target`. Large outputs come with it, as `<target>.blobs`: hard links where source and target are on one file
/// system, else copies, each read and compared with its hash. Neither may exist (DUPLICATE_ID). STORAGE_FULL when there
/// is no room for it. STORAGE_CORRUPT: the database or an output of it is damaged, and no copy was kept.
status backup_database(const storage_options& options, const std::filesystem::path& target);

}  // namespace troupe
