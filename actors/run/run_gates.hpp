// What the run actor has to do with people: gates, decisions, and the sleep until there is one. For the files of this folder
// only.
#pragma once

#include "actors/run/run_state.hpp"

#include <caf/result.hpp>

#include <vector>

namespace troupe {

/// Asleep: the run is paused, with every gate's time awaited already. The plan is made anew from the rows.
void wait_for_people(run_pointer self);

/// Asleep: is there a reason to wake?
void look_up(run_pointer self);

/// There is, and the rows do not tell it.
void call(run_pointer self);

/// The rows of the gates are read again, and the run goes on with them.
void learn_gates(run_pointer self);

/// Opens crash gates, one after the other.
void ask_people(run_pointer self, std::vector<gate_opening> questions);

/// Each gate that is open, until its time; asleep or not.
void await_gates(run_pointer self);

/// The time of a gate has come, and what that decides is on its way to disk: nobody is waited for.
bool expires_now(const run_actor_state& state);

/// A person's decision, to the writer and back.
caf::result<write_reply> decide(run_pointer self, const decide_gate& decision);

// run_actor.cpp: where these lead.

/// Whatever just became true: goes as far as possible from here.
void step_on(run_pointer self);

/// From rows that were just read.
void begin(run_pointer self, const recovery_view& rows);

/// Asleep, and somebody has asked for an end.
void end_asleep(run_pointer self);

}  // namespace troupe
