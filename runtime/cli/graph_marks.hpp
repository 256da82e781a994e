// How far a run is with each step of its workflow, from its rows. Pure.
#pragma once

#include "config/workflow_graph.hpp"
#include "messages/views.hpp"
#include "messages/workflow.hpp"

#include <vector>

namespace troupe {

/// A step is told by its newest superstep. One without tasks (a gate, a map of nothing) is completed when its result is
/// in the state. `tasks` are all of the run.
step_marks marks_of(const workflow& flow, const recovery_view& rows, const std::vector<task_view>& tasks);

}  // namespace troupe
