#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Decides which attempt of all runs begins next, within the limits of providers and of the node.
using governor = caf::typed_actor<  //
    // from runs; a run that dies has returned and withdrawn everything
    caf::replies_to<ask_permit>::with<permit_reply>,
    caf::reacts_to<return_permit>,
    caf::reacts_to<withdraw_permit>,
    // queries
    caf::replies_to<limits_query>::with<limits_view>,
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe
