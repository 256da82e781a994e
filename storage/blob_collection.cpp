#include "storage/blob_collection.hpp"

#include "storage/blobs.hpp"
#include "storage/statements.hpp"
#include "storage/system_error.hpp"
#include "storage/write_session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

#define TROUPE_UNUSED_BLOBS                                                       \
  " FROM blobs WHERE hash BETWEEN ?1 AND ?2"                                      \
  " AND NOT EXISTS (SELECT 1 FROM attempt_output WHERE stdout_hash = blobs.hash)" \
  " AND NOT EXISTS (SELECT 1 FROM attempt_output WHERE stderr_hash = blobs.hash)"

// The hashes of one shard lie between `ab` and `abg`: no digit is above f.
struct shard_range {
  explicit shard_range(int shard) {
    sha256_digest any{};
    any[0] = static_cast<std::uint8_t>(shard);
    first = to_hex(any).substr(0, 2);
    last = first + 'g';
  }
  std::string first;
  std::string last;
};

bool any_row(statement_cache& sql, const char* query, const shard_range& range) {
  return sql.use(query, range.first, range.last).step();
}

status remove_rows(write_session& session, statement_cache& sql, const shard_range& range, blob_collection& sum) {
  if (!any_row(sql, "SELECT 1" TROUPE_UNUSED_BLOBS " LIMIT 1", range)) {
    return done;
  }
  if (auto begun = session.begin(); !begun) {
    return begun;
  }
  sum.rows += sql.run("DELETE" TROUPE_UNUSED_BLOBS, range.first, range.last);
  return session.commit();
}

#undef TROUPE_UNUSED_BLOBS

bool has_row(statement_cache& sql, const sha256_digest& digest) {
  return sql.use("SELECT 1 FROM blobs WHERE hash = ?", to_hex(digest)).step();
}

// A commit at synchronous=NORMAL is in the log, but perhaps not on disk. A file that goes for ever may only go when the
// loss of its row is as lasting: else a power cut could bring the row back alone.
status sync_log(const storage_options& options) {
  const auto log = options.path.string() + "-wal";
  int failure = options.before_blob_step ? options.before_blob_step(blob_step::sync_log) : 0;
  if (failure == 0) {
    const int opened = ::open(log.c_str(), O_RDONLY | O_CLOEXEC);
    failure = opened >= 0 && ::fsync(opened) != 0 ? errno : 0;
    if (opened >= 0) {
      ::close(opened);  // SQLite holds no lock on this file that closing it here could drop
    }
  }
  if (failure != 0) {
    return system_error(failure, "cannot sync the log, so no output was removed", log, "look at the system's log");
  }
  return done;
}

status remove_files(statement_cache& sql,
                    const storage_options& options,
                    const std::vector<sha256_digest>& unused,
                    blob_collection& sum) {
  const auto folder = blob_folder_of(options.path);
  for (const auto& digest : unused) {
    if (has_row(sql, digest)) {
      continue;
    }
    if (const int failure = options.before_blob_step ? options.before_blob_step(blob_step::remove) : 0; failure != 0) {
      return system_error(failure, "cannot remove an output", blob_path(folder, digest), "the next pass tries again");
    }
    const auto freed = remove_blob(folder, digest);
    if (!freed) {
      return freed.error();
    }
    ++sum.files;
    sum.bytes += *freed;
  }
  return done;
}

}  // namespace

status collect_shard(
    write_session& session, statement_cache& sql, const storage_options& options, int shard, blob_collection& sum) {
  if (auto removed = remove_rows(session, sql, shard_range{shard}, sum); !removed) {
    return removed;
  }
  const auto files = list_blobs(blob_folder_of(options.path), shard);
  if (!files) {
    return files.error();
  }
  sum.seen += static_cast<std::int64_t>(files->size());
  std::vector<sha256_digest> unused;
  for (const auto& digest : *files) {
    if (!has_row(sql, digest)) {
      unused.push_back(digest);
    }
  }
  if (unused.empty()) {
    return done;
  }
  if (auto synced = sync_log(options); !synced) {
    return synced;
  }
  if (auto begun = session.begin(); !begun) {
    return begun;
  }
  auto removed = remove_files(sql, options, unused, sum);
  session.rollback();  // it was for the lock: nothing was written
  return removed;
}

bool has_no_blobs(statement_cache& sql, const storage_options& options) {
  std::error_code failure;
  const bool folder = fs::exists(fs::symlink_status(blob_folder_of(options.path), failure));
  return !folder && !sql.use("SELECT 1 FROM blobs LIMIT 1").step();
}

}  // namespace troupe
