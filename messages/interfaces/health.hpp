#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Asks the long-lived actors of a node from time to time whether they are there.
using health_actor = caf::typed_actor<  //
    // queries
    caf::replies_to<health_query>::with<health_view>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
