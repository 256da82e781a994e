// Tells subscribers what has been committed, and how tasks get on.
//
// Owns      the list of subscribers. No events: see subscription.hpp.
// 1.        Each subscriber gets each event of its run after `since` once, in order, from the table and then live.
// 2.        A slow subscriber slows nobody: it is served from the table when it has caught its breath.
// 3.        Progress may be thinned; events never.
// Bounded   by one batch under way for each subscriber.
// Dies of   a bug. Restarted by the root supervisor: permanent; listeners subscribe again where they stood.
#pragma once

#include "actors/service.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/event_hub.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

class crash_orders;

struct event_hub_deps {
  service<database_reader> reader;
  std::shared_ptr<crash_orders> crashes = nullptr;  ///< Null: none. Asked while ends of attempts are told.
};

event_hub spawn_event_hub(caf::actor_system& system, event_hub_deps deps);

}  // namespace troupe
