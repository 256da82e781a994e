// What attempts have cost: their rows, and what runs, subjects and days have come to by them.
#pragma once

#include "messages/views.hpp"
#include "storage/run_change.hpp"

#include <vector>

namespace troupe {

/// The attempt has ended: what it cost and how long it took is recorded and counted for its run and the runs above it,
/// and its reservations become what they stood for. Events: cost.recorded, budget.warned.
///
/// A budget of money gets the amount; where that is unknown, what was reserved. One of tokens gets the tokens. An attempt
/// without a cost that was cut off (interrupted or cancelled) may have been billed, so that its reservations count as
/// spent; one that ended by itself gives them back. A budget of time gets what the attempt took; where nobody saw its
/// end, the time since its start, and not more than was reserved.
void settle(run_change& change, const task_reference& task, attempt_no attempt, const task_outcome& outcome);

/// The attempt has ended without having run: it has cost nothing, and holds nothing any more.
void give_back(run_change& change, const task_reference& task, attempt_no attempt);

/// Largest amount first; attempts and days in the order of time. Sums of a run have those of its child runs. Attempts
/// that have ended, with a cost or a time that is known.
std::vector<cost_sum> list_cost_sums(statement_cache& sql, const cost_filter& filter, cost_grouping by);

}  // namespace troupe
