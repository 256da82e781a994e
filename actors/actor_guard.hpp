// What every actor does alike: die of a bug with its reason logged, and never print to stdout.
#pragma once

#include <caf/error.hpp>
#include <caf/message_view.hpp>
#include <caf/scheduled_actor.hpp>

#include <cstdint>
#include <exception>
#include <string>

namespace troupe {

/// How many actors of this process died of an exception. For health and metrics. Any thread.
std::int64_t actor_bugs() noexcept;

/// Logs and counts the bug, and makes it the reason that the actor dies with. `actor` names it in the log.
caf::error bug_reason(const std::string& actor, const std::exception_ptr& what);

/// The text of a reason made by bug_reason, or CAF's own rendering.
std::string reason_text(const caf::error& reason);

void log_unexpected(const std::string& actor);

/// Call first in each behaviour. Exceptions end the actor with bug_reason; unknown messages are logged and refused.
inline void guard(caf::scheduled_actor* self, const std::string& name) {
  self->set_exception_handler([name](std::exception_ptr& what) -> caf::error { return bug_reason(name, what); });
  self->set_default_handler([name](caf::scheduled_actor*, const caf::message_view&) -> caf::result<caf::message> {
    log_unexpected(name);
    return caf::sec::unexpected_message;
  });
}

}  // namespace troupe
