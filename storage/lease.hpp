// Who may write: one process at a time, and each owner with a number that the one before it did not have.
//
// Two parts. A lock on the file `<database>.lock` that the kernel drops with its holder, so that a dead one's lease is
// free at once; and the row `lease` with the epoch, which a writer that somehow outlived its lock is measured by
// (write_session::begin). The lock is an open file description's (fcntl F_OFD_SETLK): two runtimes in one process
// exclude each other, and programs started by exec do not inherit it. It holds on one machine, on a local file system.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace troupe {

struct migration_report;

struct lease_holder {
  std::int64_t pid = 0;
  std::string host;
  timestamp since;

  friend bool operator==(const lease_holder&, const lease_holder&) = default;
};

/// Whether some process holds the lease at this moment. Takes nothing; false where nobody has written yet.
bool is_lease_held(const std::filesystem::path& database) noexcept;

class lease {
 public:
  /// Takes the lock, opens and migrates the database, and writes the next epoch. Does not wait. LEASE_HELD names the
  /// holder's pid and since when; the other errors are those of database::open and migrate. Beside a file that is refused
  /// no lock file is left that was not there.
  static result<lease> acquire(const storage_options& options, const lease_holder& holder);

  lease(lease&&) noexcept;
  lease& operator=(lease&&) noexcept;
  ~lease();  ///< Gives the lock up. The epoch stays in the row.

  /// From 1; higher than every epoch before it in this file.
  lease_epoch epoch() const noexcept;

  /// What taking it did to the schema.
  const migration_report& migrated() const noexcept;

 private:
  struct state;
  explicit lease(std::unique_ptr<state> taken) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
