#include "tests/support/fault_vfs.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe {
namespace {

int error_of(fault_vfs::operation kind) noexcept {
  switch (kind) {
    case fault_vfs::operation::open:
      return SQLITE_CANTOPEN;
    case fault_vfs::operation::read:
      return SQLITE_IOERR_READ;
    case fault_vfs::operation::write:
      return SQLITE_IOERR_WRITE;
    case fault_vfs::operation::sync:
      return SQLITE_IOERR_FSYNC;
    case fault_vfs::operation::truncate:
      return SQLITE_IOERR_TRUNCATE;
    case fault_vfs::operation::remove:
      return SQLITE_IOERR_DELETE;
    case fault_vfs::operation::access:
      return SQLITE_IOERR_ACCESS;
    case fault_vfs::operation::file_size:
      return SQLITE_IOERR_FSTAT;
    case fault_vfs::operation::lock:
      return SQLITE_IOERR_LOCK;
    case fault_vfs::operation::shm_map:
      return SQLITE_IOERR_SHMMAP;
    case fault_vfs::operation::shm_lock:
      return SQLITE_IOERR_SHMLOCK;
  }
  return SQLITE_IOERR;
}

std::string name_in_folder(const std::string& path) { return std::filesystem::path{path}.filename().string(); }

}  // namespace

std::string_view to_string(fault_vfs::operation kind) noexcept {
  switch (kind) {
    case fault_vfs::operation::open:
      return "open";
    case fault_vfs::operation::read:
      return "read";
    case fault_vfs::operation::write:
      return "write";
    case fault_vfs::operation::sync:
      return "sync";
    case fault_vfs::operation::truncate:
      return "truncate";
    case fault_vfs::operation::remove:
      return "remove";
    case fault_vfs::operation::access:
      return "access";
    case fault_vfs::operation::file_size:
      return "file_size";
    case fault_vfs::operation::lock:
      return "lock";
    case fault_vfs::operation::shm_map:
      return "shm_map";
    case fault_vfs::operation::shm_lock:
      return "shm_lock";
  }
  return "?";
}

// What SQLite holds for an open file: ours, and the system's behind it in the same memory.
struct fault_vfs::file {
  sqlite3_file base;  // first: SQLite sees only this
  fault_vfs* owner;
  sqlite3_file* real;
  std::string* path;      ///< Empty for a temporary file.
  bool syncs_its_folder;  ///< With its next sync.
};

// The table of functions that SQLite calls for a file. Each one looks whether it has to fail, and passes on to the
// system's.
struct fault_vfs::methods {
  static file& of(sqlite3_file* opened) { return *reinterpret_cast<file*>(opened); }
  static sqlite3_file* real(sqlite3_file* opened) { return of(opened).real; }
  static const sqlite3_io_methods& io(sqlite3_file* opened) { return *real(opened)->pMethods; }
  static std::optional<blow> strike(operation kind, sqlite3_file* opened) {
    return of(opened).owner->strike(kind, *of(opened).path);
  }

  static int close(sqlite3_file* f) {
    const int code = io(f).xClose(real(f));
    delete of(f).path;
    return code;
  }

  static int read(sqlite3_file* f, void* to, int bytes, sqlite3_int64 from) {
    const auto failed = strike(operation::read, f);
    if (!failed) {
      return io(f).xRead(real(f), to, bytes, from);
    }
    const int half = failed->done == part::first_half ? bytes / 2 : 0;
    std::fill_n(static_cast<char*>(to), bytes, '\0');
    return half > 0 && io(f).xRead(real(f), to, half, from) != SQLITE_OK ? SQLITE_IOERR_READ : failed->code;
  }

  static int write(sqlite3_file* f, const void* from, int bytes, sqlite3_int64 to) {
    auto& owner = *of(f).owner;
    const std::lock_guard one_at_a_time{owner.mutex_};
    const auto failed = owner.strike_locked(operation::write, *of(f).path);
    const int half = failed && failed->done == part::first_half ? bytes / 2 : 0;
    const int wanted = failed ? half : bytes;
    const int code = wanted == 0 ? SQLITE_OK : io(f).xWrite(real(f), from, wanted, to);
    if (code == SQLITE_OK && wanted > 0 && owner.record_ != nullptr) {
      owner.note({disk_change::kind::write,
                  *of(f).path,
                  to,
                  std::string{static_cast<const char*>(from), static_cast<std::size_t>(wanted)}});
    }
    return failed ? failed->code : code;
  }

  static int truncate(sqlite3_file* f, sqlite3_int64 bytes) {
    auto& owner = *of(f).owner;
    const std::lock_guard one_at_a_time{owner.mutex_};
    if (const auto failed = owner.strike_locked(operation::truncate, *of(f).path)) {
      return failed->code;
    }
    const int code = io(f).xTruncate(real(f), bytes);
    if (code == SQLITE_OK) {
      owner.note({disk_change::kind::truncate, *of(f).path, bytes, {}});
    }
    return code;
  }

  static int sync(sqlite3_file* f, int /*flags*/) {
    auto& owner = *of(f).owner;
    const std::lock_guard one_at_a_time{owner.mutex_};
    if (const auto failed = owner.strike_locked(operation::sync, *of(f).path)) {
      owner.note({disk_change::kind::failed_sync, *of(f).path, 0, {}});
      return failed->code;
    }
    owner.note({disk_change::kind::sync, *of(f).path, 0, {}});
    if (std::exchange(of(f).syncs_its_folder, false)) {
      owner.note({disk_change::kind::sync_folder, {}, 0, {}});
    }
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* f, sqlite3_int64* bytes) {
    const auto failed = strike(operation::file_size, f);
    return failed ? failed->code : io(f).xFileSize(real(f), bytes);
  }

  static int lock(sqlite3_file* f, int level) {
    const auto failed = strike(operation::lock, f);
    return failed ? failed->code : io(f).xLock(real(f), level);
  }

  // Before a checkpoint SQLite tells how large the file will be, and the system's makes it so where it maps files.
  static int control(sqlite3_file* f, int what, void* arg) {
    if (what != SQLITE_FCNTL_SIZE_HINT) {
      return io(f).xFileControl(real(f), what, arg);
    }
    auto& owner = *of(f).owner;
    const std::lock_guard one_at_a_time{owner.mutex_};
    sqlite3_int64 before = 0;
    sqlite3_int64 after = 0;
    io(f).xFileSize(real(f), &before);
    const int code = io(f).xFileControl(real(f), what, arg);
    io(f).xFileSize(real(f), &after);
    if (after != before) {
      owner.note({disk_change::kind::truncate, *of(f).path, after, {}});
    }
    return code;
  }

  static int shm_map(sqlite3_file* f, int region, int bytes, int extend, void volatile** out) {
    if (const auto failed = strike(operation::shm_map, f)) {
      *out = nullptr;
      return failed->code;
    }
    return io(f).xShmMap(real(f), region, bytes, extend, out);
  }

  static int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
    const bool takes = (flags & SQLITE_SHM_LOCK) != 0;
    const auto failed = takes ? strike(operation::shm_lock, f) : std::nullopt;
    return failed ? failed->code : io(f).xShmLock(real(f), offset, n, flags);
  }

  static int fetch(sqlite3_file* f, sqlite3_int64 from, int bytes, void** out) {
    if (of(f).owner->armed(operation::read)) {
      *out = nullptr;  // SQLite then reads
      return SQLITE_OK;
    }
    return io(f).xFetch(real(f), from, bytes, out);
  }

  static sqlite3_io_methods make(int version) {
    sqlite3_io_methods table{};
    table.iVersion = version;
    table.xClose = close;
    table.xRead = read;
    table.xWrite = write;
    table.xTruncate = truncate;
    table.xSync = sync;
    table.xFileSize = file_size;
    table.xLock = lock;
    table.xUnlock = [](sqlite3_file* f, int level) { return io(f).xUnlock(real(f), level); };
    table.xCheckReservedLock = [](sqlite3_file* f, int* out) { return io(f).xCheckReservedLock(real(f), out); };
    table.xFileControl = control;
    table.xSectorSize = [](sqlite3_file* f) { return io(f).xSectorSize(real(f)); };
    table.xDeviceCharacteristics = [](sqlite3_file* f) { return io(f).xDeviceCharacteristics(real(f)); };
    table.xShmMap = shm_map;
    table.xShmLock = shm_lock;
    table.xShmBarrier = [](sqlite3_file* f) { io(f).xShmBarrier(real(f)); };
    table.xShmUnmap = [](sqlite3_file* f, int remove) { return io(f).xShmUnmap(real(f), remove); };
    table.xFetch = fetch;
    table.xUnfetch = [](sqlite3_file* f, sqlite3_int64 from, void* page) {
      return io(f).xUnfetch(real(f), from, page);
    };
    return table;
  }

  static const sqlite3_io_methods& with(shared_memory memory) {
    static const sqlite3_io_methods whole = make(3);
    static const sqlite3_io_methods files_only = make(1);
    return memory == shared_memory::present ? whole : files_only;
  }
};

fault_vfs::fault_vfs(std::string name, shared_memory memory)
    : name_(std::move(name)), system_(sqlite3_vfs_find(nullptr)), memory_(memory), vfs_(*system_) {
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(file)) + system_->szOsFile;
  vfs_.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* opened, int flags, int* out) {
    return of(vfs).open(path, opened, flags, out);
  };
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync_folder) { return of(vfs).remove(path, sync_folder); };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    return of(vfs).access(path, flags, out);
  };
  vfs_.xSleep = [](sqlite3_vfs* vfs, int microseconds) { return of(vfs).sleep(microseconds); };
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) {
    throw std::runtime_error{"cannot register the file system " + name_};
  }
}

fault_vfs::~fault_vfs() { sqlite3_vfs_unregister(&vfs_); }

void fault_vfs::arm(const fault& wanted) {
  const std::lock_guard lock{mutex_};
  armed_ = wanted;
  struck_ = false;
}

bool fault_vfs::heal() {
  const std::lock_guard lock{mutex_};
  armed_.reset();
  return std::exchange(struck_, false);
}

int fault_vfs::count(operation kind) const {
  const std::lock_guard lock{mutex_};
  return counts_[static_cast<std::size_t>(kind)];
}

void fault_vfs::record_to(disk_record* record) {
  const std::lock_guard lock{mutex_};
  record_ = record;
}

bool fault_vfs::armed() const {
  const std::lock_guard lock{mutex_};
  return armed_.has_value();
}

bool fault_vfs::armed(operation kind) const {
  const std::lock_guard lock{mutex_};
  return armed_ && armed_->on == kind;
}

std::optional<fault_vfs::blow> fault_vfs::strike(operation kind, std::string_view path) {
  const std::lock_guard lock{mutex_};
  return strike_locked(kind, path);
}

std::optional<fault_vfs::blow> fault_vfs::strike_locked(operation kind, std::string_view path) {
  ++counts_[static_cast<std::size_t>(kind)];
  if (!armed_ || armed_->on != kind || !path.ends_with(armed_->only) || --armed_->countdown > 0) {
    return std::nullopt;
  }
  struck_ = true;
  const blow felt{armed_->code == 0 ? error_of(kind) : armed_->code, armed_->done};
  if (!armed_->for_ever) {
    armed_.reset();
  }
  return felt;
}

void fault_vfs::note(disk_change change) {
  if (record_ == nullptr || (change.what != disk_change::kind::sync_folder && change.file.empty())) {
    return;
  }
  change.file = name_in_folder(change.file);
  record_->push_back(std::move(change));
}

// A file that the record does not know yet was made by somebody else before this; an empty one just now.
void fault_vfs::note_opened(const std::string& path, sqlite3_file* real) {
  if (record_ == nullptr) {
    return;
  }
  const auto name = name_in_folder(path);
  const auto last =
      std::find_if(record_->rbegin(), record_->rend(), [&](const disk_change& change) { return change.file == name; });
  if (last != record_->rend() && last->what != disk_change::kind::remove) {
    return;
  }
  sqlite3_int64 bytes = 0;
  real->pMethods->xFileSize(real, &bytes);
  if (bytes == 0) {
    note({disk_change::kind::create, path, 0, {}});
    return;
  }
  std::string content(static_cast<std::size_t>(bytes), '\0');
  if (real->pMethods->xRead(real, content.data(), static_cast<int>(bytes), 0) != SQLITE_OK) {
    throw std::runtime_error{"cannot read " + path};
  }
  note({disk_change::kind::found, path, 0, std::move(content)});
}

int fault_vfs::open(const char* path, sqlite3_file* opened, int flags, int* out) {
  auto& made = methods::of(opened);
  made.base.pMethods = nullptr;
  auto named = std::make_unique<std::string>(path == nullptr ? "" : path);
  const std::lock_guard one_at_a_time{mutex_};
  if (const auto failed = strike_locked(operation::open, *named)) {
    return failed->code;
  }
  made.owner = this;
  made.real = reinterpret_cast<sqlite3_file*>(&made + 1);
  const int code = system_->xOpen(system_, path, made.real, flags, out);
  if (code != SQLITE_OK) {
    return code;
  }
  if (path != nullptr) {
    note_opened(*named, made.real);
  }
  // As unixOpen in SQLite's os_unix.c: a journal's or log's first sync is one of its folder, too.
  constexpr int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  made.syncs_its_folder = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journals) != 0;
  made.path = named.release();
  made.base.pMethods = &methods::with(memory_);
  return SQLITE_OK;
}

int fault_vfs::remove(const char* path, int sync_folder) {
  const std::lock_guard one_at_a_time{mutex_};
  if (const auto failed = strike_locked(operation::remove, path)) {
    return failed->code;
  }
  const int code = system_->xDelete(system_, path, 0);
  if (code == SQLITE_OK) {
    note({disk_change::kind::remove, path, 0, {}});
    if (sync_folder != 0) {
      note({disk_change::kind::sync_folder, {}, 0, {}});
    }
  }
  return code;
}

int fault_vfs::access(const char* path, int flags, int* out) {
  const auto failed = strike(operation::access, path);
  return failed ? failed->code : system_->xAccess(system_, path, flags, out);
}

int fault_vfs::sleep(int microseconds) { return armed() ? microseconds : system_->xSleep(system_, microseconds); }

}  // namespace troupe
