// Which tasks a superstep has: steps and who carries them out, in graph order. Pure.
#pragma once

#include "messages/run.hpp"
#include "messages/workflow.hpp"

#include <vector>

namespace troupe {

/// The step's own, or the default.
consensus_policy policy_of(const step& declared);

/// Is given the answers of the others.
bool is_aggregator(const step& declared, const agent_name& agent);

/// Answers beside others, whose quorum can do without it.
bool is_one_of_several(const step& declared, const agent_name& agent);

/// Who carries a step out: its agents, the aggregator last; or its function, under the function's name.
std::vector<agent_name> carriers(const step& declared);

/// The tasks of `steps`, agents in the order of the file. Supersteps are numbered from 1.
std::vector<planned_task> front_of(const workflow& flow,
                                   const run_id& run,
                                   superstep_no superstep,
                                   const std::vector<step_id>& steps);

/// The steps that follow, by the order of their paths: those of the first step first. One reached twice runs once.
std::vector<step_id> followers(const workflow& flow, const std::vector<step_id>& done);

}  // namespace troupe
