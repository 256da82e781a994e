// Verdicts as the rows of the original design: one consensus_runs row, the agents' outputs below it.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

namespace troupe {

/// Rows and the event consensus.reached. consensus_ok is 1 where there is a result (ok, degraded); `degraded` is 1 where
/// somebody was missing, whatever the status. Agents that gave nothing have no agent_outputs row: the verdict names them
/// and why. run_timestamp is the commit's time in ms, moved to the next that is free for the subject and step.
void save_verdict(run_change& change, superstep_no superstep, const step_verdict& verdict);

}  // namespace troupe
