// An unfinished run, asked for again.
#pragma once

#include "messages/base/result.hpp"
#include "runtime/node.hpp"
#include "storage/read_session.hpp"

namespace troupe {

/// To go on with the run as its rows have it. NOT_FOUND; INVALID_WORKFLOW where this version cannot read the workflow that
/// it is pinned to any more.
result<submission> pinned_submission(read_session& stored, const run_id& run);

}  // namespace troupe
