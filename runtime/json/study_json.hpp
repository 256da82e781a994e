// What the study of runs prints for programs: a replay and a comparison as one JSON document each.
#pragma once

#include "runtime/comparing.hpp"
#include "runtime/replaying.hpp"

#include <string>

namespace troupe {

/// `run`, `equal`, `supersteps`, `tasks`, `took_us`, `mismatches` in their order, `error` with the first.
std::string replay_json(const replay_report& report);

/// `left`, `right`, `equal`, `workflow_differs`, `inputs`, `shared_until`, `supersteps` (compared, and equal), `first`, and
/// `state`: lists of `pointer`, `left`, `right`, without the side that has nothing there.
std::string comparison_json(const run_comparison& compared);

}  // namespace troupe
