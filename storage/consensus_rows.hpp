// Verdicts as the rows of the original design: one consensus_runs row, the agents' outputs below it.
#pragma once

#include "messages/views.hpp"
#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

class statement_cache;

/// The first millisecond from `wanted` on that no consensus of this subject and stage has: UNIQUE (spec_id, stage,
/// run_timestamp) is the original design's, and two consensuses of one moment stay two.
std::int64_t free_run_timestamp(statement_cache& sql,
                                const std::string& subject,
                                const std::string& stage,
                                std::int64_t wanted);

/// Rows and the event consensus.reached. consensus_ok is 1 where there is a result (ok, degraded); `degraded` is 1 where
/// somebody was missing, whatever the status. Agents whose answers do not count have no agent_outputs row: the verdict
/// names them and why. run_timestamp is the first free one from the commit's time on. model_version is the model that
/// the agent's usage names, else the configured one.
void save_verdict(run_change& change, superstep_no superstep, const step_verdict& verdict);

/// In order of commit.
std::vector<verdict_view> list_verdict_rows(statement_cache& sql, const run_id& run);

}  // namespace troupe
