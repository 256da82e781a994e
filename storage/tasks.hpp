// Tasks and their attempts: from the queue to the final row.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <vector>

namespace troupe {

/// Not final, and nothing of it runs.
bool waits(task_state state) noexcept;

/// NOT_FOUND where the run has no such task.
result<task_row> find_task(run_change& change, const task_id& task);

/// CANCELLED when `attempt` was superseded or was ended by somebody else, INTERNAL when it has not come yet.
status must_be_latest(const task_row& task, attempt_no attempt);

/// INTERNAL unless it is a legal move; then `task` has it.
status move_task(task_row& task, task_state to);

/// The front of a superstep whose row is there: tasks queued, events told. INTERNAL where two have one id or place.
status queue_front(run_change& change, superstep_no superstep, const std::vector<planned_task>& front);

status start(run_change& change, const start_attempt& told);
status finish(run_change& change, const finish_attempt& told);

/// Every task of the open superstep that is not final.
std::vector<task_row> open_tasks(run_change& change);

/// Cancels `tasks` for `why`: final rows, events, attempts closed.
void cancel_tasks(run_change& change, std::vector<task_row> tasks, const error& why);

/// A task that waits gets its final row after all. INTERNAL where it does not wait.
status give_up(run_change& change, const given_up_task& told);

/// What ran is interrupted (told), and waits again. Returns how many were told.
std::int64_t interrupt_and_requeue(run_change& change, std::vector<task_row> tasks);

}  // namespace troupe
