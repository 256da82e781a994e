#include "runtime/cli/database_owner.hpp"

#include "runtime/cli/stored_runs.hpp"
#include "runtime/os/host.hpp"
#include "storage/check.hpp"

#include <string>

namespace troupe {

error with_owner(error held, const settings& values) {
  const auto info = describe_database(storage_of(values));
  if (info && info->last_holder) {
    const auto& holder = *info->last_holder;
    const std::string pid = std::to_string(holder.pid);
    // The row is that of who came last, and not always of who has the lock for this moment.
    const bool has_ended = holder.host == host_name() && !is_running(holder.pid);
    held.message = has_ended ? "another process has the database for a moment"
                             : "process " + pid + " on " + holder.host + " has the database, and cannot be asked";
    held.hint =
        has_ended ? "try again" : "press Ctrl-C there, or: kill -INT " + pid + "; or try again when it has ended";
  } else {
    held.hint = "press Ctrl-C in the process that has it, or try again when it has ended";
  }
  return held;
}

}  // namespace troupe
