// What a child run's end, or its pause, means for the task that it is. Pure.
#pragma once

#include "messages/control.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"
#include "messages/views.hpp"

#include <optional>

namespace troupe {

/// Of a child that has ended. `stopped`: why its end was asked for, if it was. Completed, it is its final state, with who
/// was missing in `why` if it is degraded; that counts also when its time was over meanwhile. Else cancelled where its
/// run or the step gave it up, TASK_TIMEOUT where its time was over, and otherwise its own error, which names it.
task_outcome outcome_of(const run_view& child, std::optional<stop_cause> stopped);

/// Of an attempt that was stopped before its child had begun.
task_outcome outcome_without_child(const run_id& child, stop_cause stopped);

/// The child is left as it stands, and a later attempt goes on with it.
task_outcome left_child(const run_id& child, bool waits_for_a_person);

/// What the newest of these events says: it waits for a person, it was paused by the end of its process, or it goes on.
enum class child_standing { going_on, waiting_for_a_person, left };

/// None where none of them says anything about it.
std::optional<child_standing> standing_after(const event_batch& events);

}  // namespace troupe
