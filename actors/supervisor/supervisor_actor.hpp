// Starts its children in order, restarts them as their type says, stops them in reverse order.
//
// Owns      its children: nobody else starts or stops them.
// 1.        A child that dies is started again by its type, and with it those that the strategy says: stopped in reverse
//           order first. The pause before it grows with the restarts in the window.
// 2.        More restarts than the intensity allows: it stops all that is left and ends abnormally. A start that throws
//           is a death; one at its own start ends it.
// 3.        Asked to stop (exit message): the children end one after the other, the last started first, each within its
//           time limit, after which it is killed.
// Bounded   by its child specifications.
// Dies of   intensity exceeded, or of a bug; then its own supervisor decides, or the node stops.
#pragma once

#include "messages/interfaces/supervisor.hpp"
#include "messages/supervision.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include <functional>
#include <string>
#include <vector>

namespace troupe {

struct child_spec {
  std::string name;
  restart_type type = restart_type::permanent;
  milliseconds stop_timeout{5'000};
  /// Starts the child and makes it known to its clients, who keep it: an actor that nobody holds is gone. Called again for
  /// each restart. What it throws is the child's death.
  std::function<caf::strong_actor_ptr(caf::actor_system&)> start;
};

supervisor spawn_supervisor(caf::actor_system& system,
                            std::string name,
                            std::vector<child_spec> children,
                            restart_intensity intensity,
                            restart_strategy strategy = restart_strategy::one_for_one);

}  // namespace troupe
