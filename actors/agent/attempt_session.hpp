// When an attempt is stopped, how gently, and for what cause: the brain of the agent actor.
#pragma once

#include "messages/attempt.hpp"
#include "messages/base/time.hpp"
#include "messages/control.hpp"

#include <optional>
#include <variant>
#include <vector>

namespace troupe {

/// Decides; does nothing. Facts in, effects out, in order. Time is told by timers that come due.
///
/// Invariants: SIGKILL follows SIGTERM after kill_grace, or comes alone; the first cause stands; after the leader has
/// ended nothing is waited for longer than drain_grace.
class attempt_session {
 public:
  enum class timer { deadline, kill_grace, drain_grace };

  struct arm {
    timer which;
    milliseconds after;
  };
  struct terminate {};
  struct kill {};
  using effect = std::variant<arm, terminate, kill>;
  using effects = std::vector<effect>;

  explicit attempt_session(attempt_limits bounds) : bounds_(bounds) {}

  effects begun();
  effects stop(stop_cause cause, bool at_once);
  effects output_limit_reached();
  effects exited();
  effects due(timer which);

  /// Why we stopped it; none if it ended by itself.
  std::optional<stop_cause> cause() const noexcept { return cause_; }
  bool output_too_large() const noexcept { return output_too_large_; }

 private:
  effects end_gently();

  attempt_limits bounds_;
  std::optional<stop_cause> cause_;
  bool output_too_large_ = false;
  bool stopping_ = false;
  bool killed_ = false;
  bool exited_ = false;
};

}  // namespace troupe
