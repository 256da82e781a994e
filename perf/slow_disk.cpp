#include "perf/slow_disk.hpp"

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace troupe::perf {
namespace {

std::chrono::microseconds longer{0};

/// The methods of a file keep nothing but the file, so a table of them can be replaced by a copy. There is a handful of
/// tables, one for each way of locking; they all sync in the same way.
class slow_methods {
 public:
  const sqlite3_io_methods* of(const sqlite3_io_methods* real) {
    const std::scoped_lock lock{guard_};
    const auto [found, is_new] = copies_.try_emplace(real, *real);
    if (is_new) {
      sync = real->xSync;
      found->second.xSync = [](sqlite3_file* file, int flags) {
        std::this_thread::sleep_for(longer);
        return sync.load()(file, flags);
      };
    }
    return &found->second;
  }

 private:
  static inline std::atomic<int (*)(sqlite3_file*, int)> sync{nullptr};

  std::mutex guard_;
  std::map<const sqlite3_io_methods*, sqlite3_io_methods> copies_;
};

int open_slow(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  static slow_methods methods;
  auto* const system = static_cast<sqlite3_vfs*>(vfs->pAppData);
  const int code = system->xOpen(system, path, file, flags, out);
  if (code == SQLITE_OK) {
    file->pMethods = methods.of(file->pMethods);
  }
  return code;
}

}  // namespace

std::string slow_disk(std::chrono::microseconds sync_takes_longer) {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    sqlite3_vfs made = *system;
    made.zName = "troupe-slow-disk";
    made.pAppData = system;
    made.xOpen = open_slow;
    return made;
  }();
  longer = sync_takes_longer;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
    throw std::runtime_error{"cannot register a file system"};
  }
  return vfs.zName;
}

}  // namespace troupe::perf
