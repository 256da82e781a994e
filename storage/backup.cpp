#include "storage/backup.hpp"

#include "storage/blob_copy.hpp"
#include "storage/blobs.hpp"
#include "storage/disk_space.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/system_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace troupe {
namespace {

namespace fs = std::filesystem;

error taken(const fs::path& target) {
  return {error_code::duplicate_id, "there is a file already: " + target.string(), "choose another name"};
}

// VACUUM INTO does not sync what it writes (SQLite 3.40 switches the target to synchronous=OFF).
status sync_path(const fs::path& path, int flags) {
  const int opened = ::open(path.c_str(), flags | O_CLOEXEC);
  if (opened < 0) {
    return system_error(errno, "cannot open what was copied", path);
  }
  const int failure = ::fsync(opened) == 0 ? 0 : errno;
  ::close(opened);
  return failure == 0 ? status{done} : status{system_error(failure, "cannot sync what was copied", path)};
}

status verify(const fs::path& copy, std::int64_t version, std::int64_t application) {
  SQLite::Database opened{copy.string(), SQLite::OPEN_READONLY};
  const auto verdict = opened.execAndGet("PRAGMA integrity_check(1)").getString();
  const bool same = opened.execAndGet("PRAGMA user_version").getInt64() == version &&
                    opened.execAndGet("PRAGMA application_id").getInt64() == application;
  if (verdict != "ok" || !same) {
    return error{error_code::storage_corrupt,
                 "the copy does not pass its check (" + verdict + ") and was not kept: " + copy.string(),
                 "`troupe db check` tells what is wrong with the database itself"};
  }
  return done;
}

status write_copy(SQLite::Database& source, const fs::path& partial) {
  const int made = ::open(partial.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (made < 0) {
    return system_error(errno, "cannot create the copy", partial);
  }
  ::close(made);  // VACUUM INTO takes an empty file, and keeps its mode
  SQLite::Statement copy{source, "VACUUM INTO ?"};
  copy.bind(1, partial.string());
  copy.exec();
  if (auto checked = verify(partial,
                            source.execAndGet("PRAGMA user_version").getInt64(),
                            source.execAndGet("PRAGMA application_id").getInt64());
      !checked) {
    return checked;
  }
  return sync_path(partial, O_RDONLY);
}

// The copy of the rows, then of the outputs that they refer to. A collection may take a run and its outputs away in
// between: then the copy is of a moment that is gone, and another one is made.
status write_whole_copy(SQLite::Database& source, const fs::path& file, const fs::path& partial) {
  constexpr int tries = 3;
  for (int left = tries; left > 0; --left) {
    if (auto written = write_copy(source, partial); !written) {
      return written;
    }
    const SQLite::Database copy{partial.string(), SQLite::OPEN_READONLY};
    auto copied = copy_blobs(copy, source, blob_folder_of(file), blob_folder_of(partial));
    if (!copied || *copied) {
      return copied ? status{done} : status{copied.error()};
    }
  }
  return error{error_code::storage_busy,
               "outputs were removed while they were copied, " + std::to_string(tries) + " times: " + file.string(),
               "try again"};
}

// Never over a file that came meanwhile. A file system that cannot promise this (EINVAL) gets a plain rename: that
// nothing was there a moment ago is then all that is known.
status give_name(const fs::path& partial, const fs::path& target) {
  int failed = ::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  if (failed != 0 && errno == EINVAL) {
    failed = ::rename(partial.c_str(), target.c_str());
  }
  if (failed != 0 && errno == EEXIST) {
    return taken(target);
  }
  if (failed != 0) {
    return system_error(errno, "cannot give the copy its name", target);
  }
  return sync_path(target.has_parent_path() ? target.parent_path() : fs::path{"."}, O_RDONLY | O_DIRECTORY);
}

}  // namespace

status copy_database(SQLite::Database& source, const fs::path& file, const fs::path& target) {
  std::error_code ignored;
  const auto blobs = blob_folder_of(target);
  for (const auto& name : {target, blobs}) {
    if (fs::exists(fs::symlink_status(name, ignored))) {
      return taken(name);
    }
  }
  fs::path partial = target;
  partial += ".partial-" + std::to_string(::getpid());
  const auto partial_blobs = blob_folder_of(partial);
  try {
    const auto bytes =
        source.execAndGet("PRAGMA page_count").getInt64() * source.execAndGet("PRAGMA page_size").getInt64();
    auto copied = need_room(target.parent_path(), bytes, "copying the database");
    if (copied) {
      copied = write_whole_copy(source, file, partial);
    }
    // The outputs first: a database that has its name has them, too.
    if (copied && fs::exists(partial_blobs, ignored)) {
      copied = give_name(partial_blobs, blobs);
    }
    if (copied) {
      copied = give_name(partial, target);
      if (!copied) {
        fs::remove_all(blobs, ignored);
      }
    }
    fs::remove(partial, ignored);
    fs::remove_all(partial_blobs, ignored);
    return copied;
  } catch (const SQLite::Exception& thrown) {
    fs::remove(partial, ignored);
    fs::remove_all(partial_blobs, ignored);
    return sqlite_error(thrown, "cannot copy the database to " + target.string(), file);
  }
}

}  // namespace troupe
