#include "runtime/cli/database_owner.hpp"

#include "runtime/cli/stored_runs.hpp"
#include "runtime/os/host.hpp"
#include "storage/check.hpp"

#include <string>

namespace troupe {

error with_owner(error held, const settings& values) {
  const auto info = describe_database(storage_of(values));
  // The row is that of who came last, and perhaps not of who has the lock for this moment.
  const bool is_named = info && info->last_holder && info->last_holder->host == host_name() &&
                        is_running(info->last_holder->pid);
  if (is_named) {
    const std::string pid = std::to_string(info->last_holder->pid);
    held.message = "process " + pid + " on " + info->last_holder->host + " has the database, and cannot be asked";
    held.hint = "press Ctrl-C there, or: kill -INT " + pid + "; or try again when it has ended";
  } else {
    held.hint = "press Ctrl-C in the process that has it, or try again when it has ended";
  }
  return held;
}

}  // namespace troupe
