// Which tasks a superstep has: steps and who carries them out, in graph order. Pure.
#pragma once

#include "actors/json/opened_fields.hpp"
#include "messages/run.hpp"
#include "messages/workflow.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <vector>

namespace troupe {

/// The step's own, or the default.
consensus_policy policy_of(const step& declared);

/// Is given the answers of the others.
bool is_aggregator(const step& declared, const agent_name& agent);

/// Answers beside others, whose quorum can do without it.
bool is_one_of_several(const step& declared, const agent_name& agent);

/// Who carries a step out: its agents, the aggregator last; or its function, under the function's name; for each element
/// of a map its agent, its function or its workflow, by that name. A gate has nobody.
std::vector<agent_name> carriers(const step& declared);

/// The function that carries out the step, or each element of its map. Null where another kind does.
const function_call* function_of(const step& declared) noexcept;

/// What a map goes over. Null where the state has no list there. Refers to `state`.
const boost::json::array* items_of(const map_policy& map, const opened_fields& state);

/// The tasks of steps in their order: agents in the order of the file, elements in that of the list. A map of what is no
/// list has none. `state` is what the superstep sees.
std::vector<planned_task> tasks_of(const workflow& flow,
                                   const run_id& run,
                                   superstep_no superstep,
                                   const std::vector<planned_step>& steps,
                                   const opened_fields& state);

}  // namespace troupe
