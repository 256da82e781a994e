#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Starts its children in order, restarts them as its strategy and their types say, and stops them in reverse order.
/// Whom it has, it tells whoever pings it (any_actor.hpp).
using supervisor = caf::typed_actor<  //
    caf::reacts_to<restart_due>,      // to itself
    caf::reacts_to<stop_overdue>>;    // to itself

}  // namespace troupe
