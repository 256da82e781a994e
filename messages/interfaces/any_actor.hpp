// What every actor understands beside its own interface, whatever it is; answered by the guard (actors/actor_guard.hpp).
// Sent to the handle as a caf::actor.
#pragma once

#include "messages/supervision.hpp"

#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <string>
#include <vector>

namespace troupe {

/// Are you there, and how are you?
struct ping_query {};

/// A child as its supervisor knows it, and where to ask it for the rest.
struct known_child {
  child_view facts;
  caf::actor_addr actor;
};

struct ping_view {
  milliseconds age{0};
  std::int64_t waiting = 0;  ///< Messages in the mailbox.
  step_id step;              ///< The last three: of an agent.
  attempt_no attempt;
  std::int64_t pid = 0;
  std::vector<known_child> children;  ///< Of a supervisor or a run.
};

/// Die of a bug now. For tests of supervision: what follows is what follows an exception in any handler.
struct provoke_bug {
  std::string text;
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ping_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ping_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::provoke_bug)
