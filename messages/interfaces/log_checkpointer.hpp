#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Moves committed pages from the log to the database while the writer goes on.
using log_checkpointer = caf::typed_actor<  //
    caf::replies_to<checkpoint_log>::with<log_checkpointed>>;

}  // namespace troupe
