// The life of a run: created, ended or paused, resumed.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

namespace troupe {

/// The run with superstep 1 queued. DUPLICATE_ID: the row is there although no command of ours made it.
result<run_change> create(statement_cache& sql, known_rows& known, lease_epoch epoch, const create_run& told);

/// Moves the run to its end or pause and tells it. Tasks are the caller's.
status end(run_change& change, const run_end& end);

/// As end_run says: tasks that are not final are cancelled first where the end is final.
status end(run_change& change, const end_run& told);

status resume(run_change& change, const resume_run& told);

}  // namespace troupe
