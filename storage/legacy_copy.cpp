#include "storage/legacy_copy.hpp"

#include "storage/disk_space.hpp"
#include "storage/open_file.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/system_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// The places of SQLite's locks (sqlite.org/src/file/src/os.h): a reader holds a lock for reading on this range of bytes,
// and who is about to write to the file holds one for writing.
constexpr off_t shared_first = 0x40000002;
constexpr off_t shared_size = 510;

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t log_header_bytes = 32;
constexpr int tries_max = 20;

error cannot_read(const fs::path& file, int code) {
  return system_error(code,
                      "the older database cannot be read",
                      file,
                      "look at the path, and at the owner and mode of the file and its folder");
}

error cannot_copy(const fs::path& folder, int code) {
  auto why = system_error(code, "the older database cannot be copied", folder);
  why.hint = "name a folder with room for it in the variable TMPDIR";
  return why;
}

error not_a_database(const fs::path& file) {
  return {error_code::invalid_input,
          "this is not a SQLite database: " + file.string(),
          "name the database file of the older system"};
}

error in_use(const fs::path& file, std::string_view how) {
  return {error_code::storage_busy,
          "another program " + std::string{how} + "; nothing was imported: " + file.string(),
          "close it, or try again when it is idle"};
}

fs::path beside(const fs::path& file, std::string_view suffix) {
  fs::path path = file;
  path += suffix;
  return path;
}

// Whether file and log are those that they were. A log that only grows is: what is behind its last commit does not
// count. One that begins anew has another header.
struct moment {
  std::tuple<dev_t, ino_t, off_t, time_t, long> file;
  std::string log_header;

  friend bool operator==(const moment&, const moment&) = default;
};

moment look_at(int file, const fs::path& log) {
  moment now;
  struct stat facts {};
  if (::fstat(file, &facts) == 0) {
    now.file = {facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
  }
  const open_file opened{log, O_RDONLY};
  std::array<char, log_header_bytes> header{};
  const auto length = opened.good() ? ::pread(opened.number(), header.data(), header.size(), 0) : 0;
  now.log_header.assign(header.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return now;
}

status copy_bytes(int from, const fs::path& to) {
  const open_file made{to, O_WRONLY | O_CREAT | O_TRUNC, 0600};
  if (!made.good()) {
    return cannot_copy(to.parent_path(), errno);
  }
  constexpr std::size_t at_once = std::size_t{1} << 24U;
  off_t offset = 0;
  for (;;) {
    const auto sent = ::sendfile(made.number(), from, &offset, at_once);
    if (sent == 0) {
      return done;
    }
    if (sent < 0 && errno != EINTR) {
      return cannot_copy(to.parent_path(), errno);
    }
  }
}

// A log or journal: none is as good as an empty one.
status copy_if_there(const fs::path& from, const fs::path& to) {
  const open_file opened{from, O_RDONLY};
  if (!opened.good()) {
    const int code = errno;
    std::error_code ignored;
    fs::remove(to, ignored);
    return code == ENOENT ? status{done} : status{cannot_read(from, code)};
  }
  return copy_bytes(opened.number(), to);
}

status copy_all(int original, const fs::path& path, const fs::path& copy) {
  for (int n = 0; n < tries_max; ++n) {
    const auto before = look_at(original, beside(path, "-wal"));
    if (auto copied = copy_bytes(original, copy); !copied) {
      return copied;
    }
    // The log after the file: what a checkpoint brought into the file meanwhile stands in it.
    for (const char* const suffix : {"-wal", "-journal"}) {
      if (auto copied = copy_if_there(beside(path, suffix), beside(copy, suffix)); !copied) {
        return copied;
      }
    }
    if (before == look_at(original, beside(path, "-wal"))) {
      return done;
    }
  }
  return in_use(path, "changed the older database again and again while it was read");
}

status check_header(int file, const fs::path& path) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0) {
    return cannot_read(path, errno);
  }
  if (!S_ISREG(facts.st_mode)) {
    return error{error_code::invalid_input,
                 "this is not a file: " + path.string(),
                 "name the database file of the older system"};
  }
  std::array<char, magic.size()> head{};
  const auto length = ::pread(file, head.data(), head.size(), 0);
  if (length < 0) {
    return cannot_read(path, errno);
  }
  return std::string_view{head.data(), static_cast<std::size_t>(length)} == magic ? status{done}
                                                                                  : status{not_a_database(path)};
}

// A file system without locks gives none to the others either.
status hold_as_reader(int file, const fs::path& path) {
  struct flock range {};
  range.l_type = F_RDLCK;
  range.l_whence = SEEK_SET;
  range.l_start = shared_first;
  range.l_len = shared_size;
  const bool refused = ::fcntl(file, F_OFD_SETLK, &range) != 0 && (errno == EAGAIN || errno == EACCES);
  return refused ? status{in_use(path, "writes to the older database now")} : status{done};
}

std::int64_t bytes_of(const fs::path& path) {
  std::error_code unknown;
  const auto bytes = fs::file_size(path, unknown);
  return unknown ? 0 : static_cast<std::int64_t>(bytes);
}

// A missing value where the table wants one is no damage: such rows are counted by those who read them.
bool is_damage(const std::string& found) {
  return found != "ok" && found.find(" value in ") == std::string::npos &&
         found.find("CHECK constraint") == std::string::npos;
}

// Brings what the log or journal holds into the copy, and looks whether its pages are whole.
status settle(const fs::path& copy, const fs::path& original) {
  try {
    SQLite::Database opened{copy.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
    SQLite::Statement mode{opened, "PRAGMA journal_mode=DELETE"};
    while (mode.executeStep()) {
    }
    SQLite::Statement check{opened, "PRAGMA quick_check(1000000)"};
    while (check.executeStep()) {
      if (const auto found = check.getColumn(0).getString(); is_damage(found)) {
        return error{error_code::storage_corrupt,
                     "the older database is damaged, nothing was imported (" + found + "): " + original.string(),
                     "repair a copy of it: sqlite3 OLD .recover | sqlite3 REPAIRED"};
      }
    }
    return done;
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "the older database cannot be read, nothing was imported", original);
  }
}

}  // namespace

legacy_copy::legacy_copy(fs::path folder) noexcept : folder_(std::move(folder)) {}

legacy_copy::legacy_copy(legacy_copy&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

legacy_copy::~legacy_copy() { unlink(); }

fs::path legacy_copy::file() const { return folder_ / "older.db"; }

void legacy_copy::unlink() noexcept {
  if (!folder_.empty()) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    folder_.clear();
  }
}

result<legacy_copy> legacy_copy::make(const fs::path& original, const fs::path& scratch) {
  std::error_code failure;
  const auto kind = fs::status(original, failure);
  if (!fs::exists(kind)) {
    return error{error_code::not_found, "there is no file " + original.string(), "look at the path"};
  }
  if (!fs::is_regular_file(kind)) {
    return error{error_code::invalid_input,
                 "this is not a file: " + original.string(),
                 "name the database file of the older system"};
  }
  const auto real = fs::canonical(original, failure);  // log and journal are beside the file that a link leads to
  const open_file opened{real, O_RDONLY | O_NONBLOCK};
  if (!opened.good()) {
    return cannot_read(original, errno);
  }
  if (auto fits = check_header(opened.number(), original); !fits) {
    return fits.error();
  }
  if (auto held = hold_as_reader(opened.number(), original); !held) {
    return held.error();
  }
  const auto bytes = bytes_of(real) + 2 * bytes_of(beside(real, "-wal"));
  if (auto room = need_room(scratch, bytes, "copying the older database"); !room) {
    return room.error();
  }
  std::string folder = (scratch / "troupe-import-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return cannot_copy(scratch, errno);
  }
  legacy_copy copy{folder};
  if (auto copied = copy_all(opened.number(), real, copy.file()); !copied) {
    return copied.error();
  }
  if (auto settled = settle(copy.file(), original); !settled) {
    return settled.error();
  }
  return copy;
}

}  // namespace troupe
