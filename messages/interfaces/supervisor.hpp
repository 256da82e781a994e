#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Starts its children in order, restarts them as their type says, and stops them in reverse order.
using supervisor = caf::typed_actor<  //
    caf::replies_to<tree_query>::with<tree_view>,
    caf::reacts_to<restart_child>,  // to itself
    caf::reacts_to<stop_overdue>>;  // to itself

}  // namespace troupe
