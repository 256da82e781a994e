// Removes what nothing refers to any more: rows of `blobs`, and files of large outputs.
#pragma once

#include "messages/base/result.hpp"

#include <cstdint>

namespace troupe {

class statement_cache;
class write_session;
struct storage_options;

/// What one slice, or several of them, removed.
struct blob_collection {
  std::int64_t seen = 0;   ///< Files that were looked at.
  std::int64_t rows = 0;   ///< Removed.
  std::int64_t files = 0;  ///< Removed; a file may never have had a row.
  std::int64_t bytes = 0;  ///< Of these files.
  bool whole = false;      ///< The last slice of a pass is done.
};

/// One slice: the rows and files of one shard (storage/blobs.hpp), which `sum` then counts as well. Transactions of its
/// own through `session`; none may be open. Errors: as begin and commit, and of the disk. What is not removed then is
/// left to the next pass. Throws SQLite::Exception.
status collect_shard(
    write_session& session, statement_cache& sql, const storage_options& options, int shard, blob_collection& sum);

/// True where the database has neither rows nor a folder of blobs: nothing to look for.
bool has_no_blobs(statement_cache& sql, const storage_options& options);

}  // namespace troupe
