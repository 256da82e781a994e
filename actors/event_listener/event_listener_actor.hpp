// Hands one run's events to a host's callbacks.
//
// Owns      the place where the host stands in the run's events.
// 1.        The host's callbacks are called one at a time, never on a thread of its own.
// 2.        It survives the death of the event hub: it subscribes again where it stood.
// Bounded   by one batch: the hub sends the next when the callback has returned.
// Dies of   an exception of the host's callback (logged), or the end of the run. Temporary: nobody restarts it.
#pragma once

#include "actors/placement.hpp"
#include "actors/service.hpp"
#include "messages/interfaces/event_hub.hpp"

#include <caf/fwd.hpp>

#include <functional>

namespace troupe {

struct event_listener_deps {
  service<event_hub> hub;
  run_id run;
  event_seq since;
  // Each may be empty.
  std::function<void(const event_batch&)> events;
  std::function<void(const task_progress&)> progress;
  std::function<void(const error&)> stopped;
};

event_subscriber spawn_event_listener(caf::actor_system& system, event_listener_deps deps, placement where);

}  // namespace troupe
