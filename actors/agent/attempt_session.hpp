// When an attempt is stopped, how gently, and for what cause: the brain of the agent actor.
#pragma once

#include "messages/attempt.hpp"
#include "messages/base/time.hpp"
#include "messages/control.hpp"

#include <optional>
#include <variant>
#include <vector>

namespace troupe {

/// How long an attempt may print nothing; none: as long as it likes.
struct silence_limits {
  std::optional<milliseconds> first_output{};  ///< From its start to the first byte.
  std::optional<milliseconds> idle{};          ///< After the first byte; from the start where first_output is none.
};

/// Decides; does nothing. Facts in, effects out, in order. Time is told by timers that come due.
///
/// Invariants: SIGKILL follows SIGTERM after kill_grace, or comes alone; the first cause stands; after the leader has
/// ended nothing is waited for longer than drain_grace.
class attempt_session {
 public:
  enum class timer { deadline, kill_grace, drain_grace, first_output, idle_look };
  /// The time that ran out.
  enum class limit { timeout, first_output, idle };

  struct arm {
    timer which;
    milliseconds after;
  };
  struct terminate {};
  struct kill {};
  using effect = std::variant<arm, terminate, kill>;
  using effects = std::vector<effect>;

  explicit attempt_session(attempt_limits bounds, silence_limits silence = {}) : bounds_(bounds), silence_(silence) {}

  effects begun();
  /// It runs: from here on silence counts. Eight looks tell that an idle time is over, so that no clock is needed; it
  /// lasts an eighth longer at most.
  effects started();
  /// Some bytes came.
  void printed() noexcept;
  effects stop(stop_cause cause, bool at_once);
  effects output_limit_reached();
  effects exited();
  effects due(timer which);

  /// Why we stopped it; none if it ended by itself.
  std::optional<stop_cause> cause() const noexcept { return cause_; }
  /// Which limit, where the cause is timed_out.
  limit overrun() const noexcept { return overrun_; }
  bool output_too_large() const noexcept { return output_too_large_; }

 private:
  effects end_gently();
  effects overran(limit which);
  effects look_for_output();
  effects arm_look() const;

  attempt_limits bounds_;
  silence_limits silence_;
  limit overrun_ = limit::timeout;
  bool has_printed_ = false;
  bool printed_since_look_ = false;
  int silent_looks_ = 0;
  std::optional<stop_cause> cause_;
  bool output_too_large_ = false;
  bool stopping_ = false;
  bool killed_ = false;
  bool exited_ = false;
};

}  // namespace troupe
