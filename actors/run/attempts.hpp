// The run actor's attempts: from the plan's order over the permit to the agent, and back. For the files of this folder.
#pragma once

#include "actors/run/run_state.hpp"

#include <functional>

namespace troupe {

/// Asks the governor for each attempt that the plan admits, and begins it when it may. `go_on` is called when something
/// has changed since.
void admit_attempts(run_pointer self, const std::function<void()>& go_on);

/// Stops what the plan says is pointless now.
void stop_pointless_attempts(run_pointer self);

/// Stops every agent. Attempts that ask for a permit ask no more.
void stop_attempts(run_pointer self, stop_cause cause, bool at_once);

/// Those that ask for a permit ask no more.
void withdraw_attempts(run_pointer self);

/// The attempt is over: its permit goes back. None where it is not among the live ones any more.
std::optional<live_attempt> take_attempt(run_pointer self, const task_id& task);
void give_back(run_pointer self, const live_attempt& attempt, return_permit how);

/// Calls `then` when `due` has come by the time of day, however often the scheduler dies meanwhile. A newer call with
/// the same key takes its place.
void await(run_pointer self, const std::string& key, timestamp due, const std::function<void()>& then);

}  // namespace troupe
