#include "storage/lease.hpp"

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/statements.hpp"
#include "storage/system_error.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

namespace fs = std::filesystem;

// A descriptor that closes itself; the kernel drops the lock with it.
class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  int number() const noexcept { return number_; }

 private:
  int number_;
};

fs::path lock_path(const fs::path& database) {
  fs::path path = database;
  path += ".lock";
  return path;
}

error cannot_lock(const fs::path& path, int code) {
  return system_error(code,
                      "cannot lock the database",
                      path,
                      "look at the path, and at the owner and mode of the folder; the file system must support locks");
}

// What the lock file says of its holder, for people: `pid microseconds host`. The lock itself is what counts.
std::optional<lease_holder> read_holder(int file) {
  std::array<char, 512> bytes{};
  const auto length = ::pread(file, bytes.data(), bytes.size(), 0);
  if (length <= 0) {
    return std::nullopt;
  }
  const std::string_view text{bytes.data(), static_cast<std::size_t>(length)};
  const char* const end = text.data() + text.size();
  lease_holder holder;
  std::int64_t since = 0;
  const auto pid = std::from_chars(text.data(), end, holder.pid);
  if (pid.ec != std::errc{} || pid.ptr == end) {
    return std::nullopt;
  }
  const auto time = std::from_chars(pid.ptr + 1, end, since);
  if (time.ec != std::errc{} || time.ptr == end) {
    return std::nullopt;
  }
  holder.since = timestamp{std::chrono::microseconds{since}};
  const std::string_view host{time.ptr + 1, static_cast<std::size_t>(end - time.ptr - 1)};
  holder.host = host.substr(0, host.find('\n'));
  return holder;
}

void write_holder(int file, const lease_holder& holder) {
  const auto text = std::to_string(holder.pid) + ' ' + std::to_string(holder.since.time_since_epoch().count()) + ' ' +
                    holder.host + '\n';
  // Only for people: where it cannot be written (a full disk), the lock holds all the same. Cut afterwards, so that whoever
  // reads meanwhile finds a whole line: this one or the one before.
  const auto written = ::pwrite(file, text.data(), text.size(), 0);
  [[maybe_unused]] const auto cut = ::ftruncate(file, written < 0 ? 0 : static_cast<off_t>(written));
}

error held(const fs::path& database, const std::optional<lease_holder>& by) {
  std::string who = "another process";
  if (by) {
    who = "process " + std::to_string(by->pid) + " on " + by->host + ", since " + to_rfc3339(by->since) + ',';
  }
  return {error_code::lease_held,
          who + " writes to " + database.string(),
          by ? "wait for it, end it (kill " + std::to_string(by->pid) + "), or name another database with --db"
             : "wait for it, or name another database with --db"};
}

struct file_lock {
  descriptor file;
  bool is_new;  ///< The file was made for this lock.
};

// Whether the file is still the one of that name: whoever removes it does so under its lock.
bool is_at(const fs::path& path, const descriptor& file) {
  struct stat named {};
  struct stat locked {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(file.number(), &locked) == 0 && named.st_ino == locked.st_ino &&
         named.st_dev == locked.st_dev;
}

constexpr int lock_tries_max = 16;  // each one more that somebody made a lock file and removed it, at this very moment

result<file_lock> take_lock(const fs::path& database) {
  const auto path = lock_path(database);
  for (int tries = 0; tries < lock_tries_max; ++tries) {
    const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool is_new = made >= 0 || errno != EEXIST;
    file_lock lock{descriptor{is_new ? made : ::open(path.c_str(), O_RDWR | O_CLOEXEC)}, is_new};
    if (lock.file.number() < 0) {
      if (!is_new && errno == ENOENT) {
        continue;
      }
      return cannot_lock(path, errno);
    }
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(lock.file.number(), F_OFD_SETLK, &whole) != 0) {
      return errno == EAGAIN || errno == EACCES ? held(database, read_holder(lock.file.number()))
                                                : cannot_lock(path, errno);
    }
    if (is_at(path, lock.file)) {
      return lock;
    }
  }
  return held(database, std::nullopt);
}

result<lease_epoch> next_epoch(database& opened, const lease_holder& holder) {
  try {
    statement_cache sql{opened.connection()};
    SQLite::Transaction transaction{opened.connection(), SQLite::TransactionBehavior::IMMEDIATE};
    std::int64_t epoch = 0;
    {
      auto row = sql.use(
          "INSERT INTO lease (id, epoch, pid, host, since) VALUES (1, 1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE"
          " SET epoch = epoch + 1, pid = ?1, host = ?2, since = ?3 RETURNING epoch",
          holder.pid,
          holder.host,
          holder.since);
      while (row.step()) {
        epoch = row.number(0);
      }
    }
    transaction.commit();
    return lease_epoch{epoch};
  } catch (const SQLite::Exception& thrown) {
    return sqlite_error(thrown, "cannot take the lease", opened.options().path);
  }
}

struct taken_epoch {
  lease_epoch epoch;
  migration_report migrated;
};

// Under the lock.
result<taken_epoch> take_epoch(const storage_options& options, const lease_holder& holder) {
  auto opened = database::open(options);
  if (!opened) {
    return opened.error();
  }
  auto migrated = migrate(*opened, migration_sources());
  if (!migrated) {
    return migrated.error();
  }
  const auto epoch = next_epoch(*opened, holder);
  if (!epoch) {
    return epoch.error();
  }
  return taken_epoch{*epoch, *std::move(migrated)};
}

}  // namespace

bool is_lease_held(const std::filesystem::path& database) noexcept {
  const descriptor file{::open(lock_path(database).c_str(), O_RDONLY | O_CLOEXEC)};
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return file.number() >= 0 && ::fcntl(file.number(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

struct lease::state {
  file_lock lock;
  lease_epoch epoch;
  migration_report migrated;
};

lease::lease(std::unique_ptr<state> taken) noexcept : state_(std::move(taken)) {}

lease::lease(lease&&) noexcept = default;
lease& lease::operator=(lease&&) noexcept = default;
lease::~lease() = default;

lease_epoch lease::epoch() const noexcept { return state_->epoch; }

const migration_report& lease::migrated() const noexcept { return state_->migrated; }

result<lease> lease::acquire(const storage_options& options, const lease_holder& holder) {
  if (auto ready = prepare_place(options); !ready) {
    return ready.error();
  }
  auto lock = take_lock(options.path);
  if (!lock) {
    return lock.error();
  }
  write_holder(lock->file.number(), holder);
  auto taken = take_epoch(options, holder);
  if (!taken) {
    if (lock->is_new) {  // beside what is refused nothing is left, and the lock still keeps everybody out
      ::unlink(lock_path(options.path).c_str());
    }
    return taken.error();
  }
  return lease{std::make_unique<state>(state{*std::move(lock), taken->epoch, std::move(taken->migrated)})};
}

}  // namespace troupe
