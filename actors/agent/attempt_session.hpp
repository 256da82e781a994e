// When an attempt is stopped, how gently, and for what cause: the brain of the agent actor.
#pragma once

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
  struct limits {
    std::optional<milliseconds> timeout;  ///< Of the attempt, from its start request.
    milliseconds kill_grace{5'000};       ///< Between SIGTERM and SIGKILL.
    milliseconds drain_grace{2'000};      ///< For pipes that a grandchild keeps open after the leader's end.
  };

  enum class timer { deadline, kill_grace, drain_grace };

  struct arm {
    timer which;
    milliseconds after;
  };
  struct terminate {};
  struct kill {};
  using effect = std::variant<arm, terminate, kill>;
  using effects = std::vector<effect>;

  explicit attempt_session(limits bounds) : bounds_(bounds) {}

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

  limits bounds_;
  std::optional<stop_cause> cause_;
  bool output_too_large_ = false;
  bool stopping_ = false;
  bool killed_ = false;
  bool exited_ = false;
};

}  // namespace troupe
