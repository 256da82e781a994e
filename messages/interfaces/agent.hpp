#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// One attempt of one task. Ends when the attempt's facts are committed and its run has been told.
using agent_actor = caf::typed_actor<  //
    caf::reacts_to<stop_attempt>,
    caf::reacts_to<later>>;  // its own timers, and what its executor calls back

}  // namespace troupe
