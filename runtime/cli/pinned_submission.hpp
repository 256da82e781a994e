// An unfinished run, asked for again.
#pragma once

#include "messages/base/result.hpp"
#include "runtime/node.hpp"
#include "storage/read_session.hpp"

namespace troupe {

/// As the run was first asked for, from the workflow that it is pinned to. NOT_FOUND; INVALID_WORKFLOW where this
/// version cannot read it any more.
result<submission> pinned_submission(read_session& stored, const run_id& run);

}  // namespace troupe
