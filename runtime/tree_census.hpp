// The tree of a running node as its actors tell it: level by level, each asked ahead of what waits in its mailbox.
#pragma once

#include "messages/interfaces/supervisor.hpp"
#include "messages/supervision.hpp"

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <string_view>

namespace troupe {

/// Blocks for at most `patience` a level: an actor that does not answer is shown as one that does not. Any thread but
/// the actors' own.
tree_view take_census(caf::actor_system& system, const supervisor& root, milliseconds patience);

/// The actor of that name, the root supervisor's descendant; null: there is none that runs.
caf::actor find_by_name(caf::actor_system& system,
                        const supervisor& root,
                        std::string_view name,
                        milliseconds patience);

}  // namespace troupe
