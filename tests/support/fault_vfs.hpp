// A file system under SQLite that fails when told to: the n-th write, sync, ... from now, once or for ever.
// It stands in front of the system's own, so that everything else is real, but for one thing: a sync is counted and not
// carried out, since nobody pulls the plug here and thousands of them take minutes. Name it in storage_options::vfs.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Used by one thread; must outlive every connection that was opened through it.
class fault_vfs {
 public:
  enum class operation { read, write, sync, truncate, open, count_of_them };

  struct fault {
    operation on = operation::write;
    int countdown = 1;        ///< 1: the next one.
    int code = SQLITE_IOERR;  ///< What SQLite is told; nothing is done.
    bool for_ever = false;    ///< Every one from then on.
    std::string only;         ///< Only files whose name ends so: "-wal".
  };

  /// `shared_memory` false: a file system that cannot do WAL.
  explicit fault_vfs(std::string name, bool shared_memory = true)
      : name_(std::move(name)), system_(sqlite3_vfs_find(nullptr)), shared_memory_(shared_memory), vfs_(*system_) {
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + system_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* opened, int flags, int* out) {
      return of(vfs).open(path, opened, flags, out);
    };
    if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) {
      throw std::runtime_error{"cannot register the file system " + name_};
    }
  }

  fault_vfs(const fault_vfs&) = delete;
  fault_vfs& operator=(const fault_vfs&) = delete;
  ~fault_vfs() { sqlite3_vfs_unregister(&vfs_); }

  const std::string& name() const noexcept { return name_; }

  void arm(const fault& wanted) {
    armed_ = wanted;
    struck_ = false;
  }
  /// True where a fault that was to strike once has struck, or one for ever was struck at least once.
  bool heal() {
    armed_.reset();
    return std::exchange(struck_, false);
  }
  /// Of all files, failed ones too.
  int count(operation kind) const { return counts_[static_cast<std::size_t>(kind)]; }

 private:
  struct file {
    sqlite3_file base;  // first: SQLite sees only this
    fault_vfs* owner;
    sqlite3_file* real;
    std::string* path;
  };

  static fault_vfs& of(sqlite3_vfs* vfs) { return *static_cast<fault_vfs*>(vfs->pAppData); }
  static file& of(sqlite3_file* opened) { return *reinterpret_cast<file*>(opened); }
  static sqlite3_file* real(sqlite3_file* opened) { return of(opened).real; }
  static const sqlite3_io_methods& methods(sqlite3_file* opened) { return *real(opened)->pMethods; }

  // SQLITE_OK, or what the armed fault says.
  int strike(operation kind, std::string_view path) {
    ++counts_[static_cast<std::size_t>(kind)];
    if (!armed_ || armed_->on != kind || !path.ends_with(armed_->only) || --armed_->countdown > 0) {
      return SQLITE_OK;
    }
    struck_ = true;
    const int code = armed_->code;
    if (!armed_->for_ever) {
      armed_.reset();
    }
    return code;
  }

  static int strike(operation kind, sqlite3_file* opened) { return of(opened).owner->strike(kind, *of(opened).path); }

  int open(const char* path, sqlite3_file* opened, int flags, int* out) {
    auto& made = of(opened);
    made.base.pMethods = nullptr;
    if (const int failed = strike(operation::open, path == nullptr ? "" : path); failed != SQLITE_OK) {
      return failed;
    }
    made.owner = this;
    made.real = reinterpret_cast<sqlite3_file*>(&made + 1);
    const int code = system_->xOpen(system_, path, made.real, flags, out);
    if (code == SQLITE_OK) {
      made.path = new std::string{path == nullptr ? "" : path};
      made.base.pMethods = shared_memory_ ? &with_shared_memory() : &without_shared_memory();
    }
    return code;
  }

  static const sqlite3_io_methods& with_shared_memory() {
    static const sqlite3_io_methods table = make_methods(3);
    return table;
  }

  static const sqlite3_io_methods& without_shared_memory() {
    static const sqlite3_io_methods table = make_methods(1);
    return table;
  }

  static sqlite3_io_methods make_methods(int version) {
    sqlite3_io_methods io{};
    io.iVersion = version;
    io.xClose = [](sqlite3_file* f) {
      const int code = methods(f).xClose(real(f));
      delete of(f).path;
      return code;
    };
    io.xRead = [](sqlite3_file* f, void* to, int bytes, sqlite3_int64 from) {
      const int failed = strike(operation::read, f);
      return failed != SQLITE_OK ? failed : methods(f).xRead(real(f), to, bytes, from);
    };
    io.xWrite = [](sqlite3_file* f, const void* from, int bytes, sqlite3_int64 to) {
      const int failed = strike(operation::write, f);
      return failed != SQLITE_OK ? failed : methods(f).xWrite(real(f), from, bytes, to);
    };
    io.xTruncate = [](sqlite3_file* f, sqlite3_int64 bytes) {
      const int failed = strike(operation::truncate, f);
      return failed != SQLITE_OK ? failed : methods(f).xTruncate(real(f), bytes);
    };
    io.xSync = [](sqlite3_file* f, int flags) {
      static_cast<void>(flags);
      return strike(operation::sync, f);
    };
    io.xFileSize = [](sqlite3_file* f, sqlite3_int64* bytes) { return methods(f).xFileSize(real(f), bytes); };
    io.xLock = [](sqlite3_file* f, int level) { return methods(f).xLock(real(f), level); };
    io.xUnlock = [](sqlite3_file* f, int level) { return methods(f).xUnlock(real(f), level); };
    io.xCheckReservedLock = [](sqlite3_file* f, int* out) { return methods(f).xCheckReservedLock(real(f), out); };
    io.xFileControl = [](sqlite3_file* f, int what, void* arg) { return methods(f).xFileControl(real(f), what, arg); };
    io.xSectorSize = [](sqlite3_file* f) { return methods(f).xSectorSize(real(f)); };
    io.xDeviceCharacteristics = [](sqlite3_file* f) { return methods(f).xDeviceCharacteristics(real(f)); };
    io.xShmMap = [](sqlite3_file* f, int page, int bytes, int extend, void volatile** out) {
      return methods(f).xShmMap(real(f), page, bytes, extend, out);
    };
    io.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return methods(f).xShmLock(real(f), offset, n, flags);
    };
    io.xShmBarrier = [](sqlite3_file* f) { methods(f).xShmBarrier(real(f)); };
    io.xShmUnmap = [](sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); };
    io.xFetch = [](sqlite3_file* f, sqlite3_int64 from, int bytes, void** out) {
      return methods(f).xFetch(real(f), from, bytes, out);
    };
    io.xUnfetch = [](sqlite3_file* f, sqlite3_int64 from, void* page) {
      return methods(f).xUnfetch(real(f), from, page);
    };
    return io;
  }

  std::string name_;
  sqlite3_vfs* system_;
  bool shared_memory_;
  sqlite3_vfs vfs_{};
  std::optional<fault> armed_;
  bool struck_ = false;
  std::array<int, static_cast<std::size_t>(operation::count_of_them)> counts_{};
};

}  // namespace troupe
