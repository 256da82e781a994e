// When somebody is missing in what a run comes to.
#pragma once

#include "messages/writes.hpp"

namespace troupe {

/// The step has a result, and an agent that was asked for it is not in it: from here on the run is degraded. A step of one
/// agent that failed has nobody missing: it failed. One that has a result of child runs has who is missing there.
inline bool leaves_somebody_out(const step_verdict& verdict) noexcept {
  const auto& reached = verdict.reached;
  return reached.degraded && (reached.asked.size() > 1 || reached.winner.has_value());
}

}  // namespace troupe
