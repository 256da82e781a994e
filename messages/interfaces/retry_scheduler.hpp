#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Wakes what waits for a time of day. The waiting itself is a row; whoever waits asks again after a restart.
using retry_scheduler = caf::typed_actor<  //
    caf::replies_to<await_due>::with<came_due>,
    caf::reacts_to<forget_due>,
    // queries
    caf::replies_to<waits_query>::with<waits_view>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
