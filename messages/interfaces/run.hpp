#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// One run, from its rows to its end.
using run_actor = caf::typed_actor<  //
    // commands
    caf::reacts_to<cancel_run>,
    caf::reacts_to<drain_runs>,
    caf::replies_to<decide_gate>::with<write_reply>,
    // facts, from its agents
    caf::reacts_to<task_finished>,
    caf::reacts_to<task_unrecorded>,
    caf::reacts_to<child_moved>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
