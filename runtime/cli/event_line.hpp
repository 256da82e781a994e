// One event on one line, for people.
#pragma once

#include "messages/event.hpp"
#include "runtime/cli/style.hpp"

#include <string>

namespace troupe {

/// `07:03:12.482   17  task.completed   plan/claude   attempt 1, 2.1 KiB`. Local time; no line break; `columns` 0: as
/// long as it gets.
std::string event_line(const event& what, int columns, const style& look);

/// The part behind: what the event's data comes to in words; may be empty.
std::string event_summary(const event& what);

/// A paused run goes on by itself after so long; none for any other event.
std::optional<milliseconds> pause_length(const event& what);

/// `plan/claude`, `each/claude[3]` for an element of a map, `plan`, or nothing.
std::string event_place(const event& what);

/// `claude`, or `claude[3]`: who carries out the task of the event. Empty for an event of no agent.
std::string carrier_text(const event& what);

}  // namespace troupe
