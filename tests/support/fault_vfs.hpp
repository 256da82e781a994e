// A file system under SQLite that fails when told to, and that remembers what was written through it.
//
// It stands in front of the system's own, so that everything else is real, but for two things: a sync is counted (and
// recorded) and not carried out, since nobody pulls the plug here and thousands of them take minutes; and while a fault
// is armed nobody sleeps for a lock, since nothing would change meanwhile. Name it in storage_options::vfs.
// docs/testing.md tells what it is used for.
#pragma once

#include "tests/support/disk_record.hpp"

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Used from any thread; must outlive every connection that was opened through it.
class fault_vfs {
 public:
  /// What can fail. Locks fail when they are taken; giving one up always succeeds.
  enum class operation { open, read, write, sync, truncate, remove, access, file_size, lock, shm_map, shm_lock };

  static constexpr std::array every_operation{operation::open,
                                              operation::read,
                                              operation::write,
                                              operation::sync,
                                              operation::truncate,
                                              operation::remove,
                                              operation::access,
                                              operation::file_size,
                                              operation::lock,
                                              operation::shm_map,
                                              operation::shm_lock};

  /// How much of a read or a write is done although it fails.
  enum class part {
    nothing,
    first_half,  ///< A short write reaches the file; of a short read the rest is zeros, as SQLite asks for.
  };

  struct fault {
    operation on = operation::write;
    int countdown = 1;      ///< 1: the next one.
    int code = 0;           ///< What SQLite is told. 0: the error that belongs to the operation.
    bool for_ever = false;  ///< Every one from then on.
    std::string only;       ///< Only files whose name ends so: "-wal".
    part done = part::nothing;
  };

  /// What WAL needs of a file system.
  enum class shared_memory { present, absent };

  explicit fault_vfs(std::string name, shared_memory memory = shared_memory::present);
  fault_vfs(const fault_vfs&) = delete;
  fault_vfs& operator=(const fault_vfs&) = delete;
  ~fault_vfs();

  const std::string& name() const noexcept { return name_; }

  /// One fault at a time: this one takes the place of the one before. Faults on reads see every read: while one is
  /// armed no page is read through a mapping.
  void arm(const fault& wanted);

  /// True where a fault that was to strike once has struck, or one for ever was struck at least once.
  bool heal();

  /// Of all files, failed ones too.
  int count(operation kind) const;

  /// From now on every change of a file goes to `record`, too; null ends it. One folder of files, of which nothing but
  /// this file system creates, writes or removes any. Of an operation that fails, what it did is recorded.
  void record_to(disk_record* record);

 private:
  struct file;
  struct methods;

  static fault_vfs& of(sqlite3_vfs* vfs) { return *static_cast<fault_vfs*>(vfs->pAppData); }

  // What an operation that fails does instead.
  struct blow {
    int code;
    part done;
  };

  std::optional<blow> strike(operation kind, std::string_view path);
  std::optional<blow> strike_locked(operation kind, std::string_view path);
  bool armed() const;
  bool armed(operation kind) const;

  int open(const char* path, sqlite3_file* opened, int flags, int* out);
  int remove(const char* path, int sync_folder);
  int access(const char* path, int flags, int* out);
  int sleep(int microseconds);
  void note(disk_change change);
  void note_opened(const std::string& path, sqlite3_file* real);

  std::string name_;
  sqlite3_vfs* system_;
  shared_memory memory_;
  sqlite3_vfs vfs_{};

  mutable std::mutex mutex_;  ///< Guards what follows, and keeps the record in the order of the changes.
  std::optional<fault> armed_;
  bool struck_ = false;
  std::array<int, every_operation.size()> counts_{};
  disk_record* record_ = nullptr;
};

std::string_view to_string(fault_vfs::operation kind) noexcept;

}  // namespace troupe
