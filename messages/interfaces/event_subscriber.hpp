#pragma once

#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Taken: the next batch may come. Until then the subscriber gets nothing, and is served from the table afterwards.
struct events_taken {};

/// Listens to one run. Each batch follows the one before it without gap or double.
using event_subscriber = caf::typed_actor<  //
    caf::replies_to<event_batch_ptr>::with<events_taken>,
    caf::reacts_to<task_progress>,
    caf::reacts_to<run_stopped>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::events_taken)
