#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Starts runs, and restarts those that die of a bug from their rows.
using run_supervisor = caf::typed_actor<  //
    // commands
    caf::replies_to<start_run>::with<start_reply>,
    caf::reacts_to<cancel_run>,
    caf::reacts_to<drain_runs>,
    caf::replies_to<decide_gate>::with<write_reply>,
    // facts, from runs
    caf::reacts_to<child_moved>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
