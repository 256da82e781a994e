#pragma once

#include "messages/interfaces/event_subscriber.hpp"
#include "messages/type_ids.hpp"

#include <caf/typed_actor.hpp>

namespace troupe {

/// Wants the events of a run after `since`; from the table first, then live.
struct subscribe_events {
  run_id run;
  event_seq since;
  event_subscriber subscriber;
};

/// Tells subscribers what has been committed.
using event_hub = caf::typed_actor<  //
    // commands
    caf::reacts_to<subscribe_events>,
    // facts
    caf::reacts_to<event_batch_ptr>,  // from the writer, after the commit, in commit order
    caf::reacts_to<task_progress>,    // from agents
    caf::reacts_to<run_stopped>,      // from a run that cannot go on
    // its own timers
    caf::reacts_to<later>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::subscribe_events)
