// A new run that shares the past of another one.
#pragma once

#include "messages/base/result.hpp"
#include "messages/run.hpp"
#include "storage/storage_options.hpp"

namespace troupe {

struct fork_request {
  run_id of;
  superstep_no at;  ///< 0: from the beginning.
  run_id run;       ///< Empty: it is made of the time.
};

/// Creates the run, paused: whoever resumes it carries it out. Takes the lease for so long. Blocks on the disk.
/// NOT_FOUND; INVALID_INPUT where the superstep is not committed, or nothing followed it; DUPLICATE_ID; LEASE_HELD;
/// STORAGE_*. After an error nothing was written.
result<run_id> fork_run(const storage_options& storage, const fork_request& what);

}  // namespace troupe
