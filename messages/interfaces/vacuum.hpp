#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Gives the free pages of the database back to the file system.
using vacuum_actor = caf::typed_actor<  //
    // commands
    caf::replies_to<vacuum_now>::with<vacuum_now_answer>,
    // queries
    caf::replies_to<vacuum_query>::with<vacuum_view>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
