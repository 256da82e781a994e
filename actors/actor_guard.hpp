// What every actor does alike: die of a bug with its reason logged, tell whoever asks that it is there, and never print to
// stdout.
#pragma once

#include "actors/log_place.hpp"
#include "messages/interfaces/any_actor.hpp"

#include <caf/error.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace troupe {

/// How many actors of this process died of an exception. For health and metrics. Any thread.
std::int64_t actor_bugs() noexcept;

/// Logs and counts the bug, and makes it the reason that the actor dies with. `actor` names it in the log.
caf::error bug_reason(const std::string& actor, const std::exception_ptr& what, const log_place& place = {});

/// An abnormal end that is no bug of the actor's own: it has logged why.
caf::error abnormal_reason(std::string text);

/// The text of a reason made by the two above, or CAF's own rendering.
std::string reason_text(const caf::error& reason);

/// What an actor adds to its answer to a ping: its children, or its process. Called on the actor.
using ping_details = std::function<void(ping_view&)>;

/// Call first in each behaviour. Exceptions end the actor with bug_reason; the words of any_actor.hpp are answered;
/// unknown messages are logged and refused.
void guard(caf::scheduled_actor* self, const std::string& name, ping_details details = {}, log_place place = {});

}  // namespace troupe
