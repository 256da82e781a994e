// Whether a provider is asked at all: the brain of RT-4.
#pragma once

#include "actors/governor/moment.hpp"
#include "messages/limits.hpp"
#include "messages/provider.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// Closed: calls go through, and their outcomes are counted. Open: none begins. After open_for one call, the probe, is
/// let through: if it succeeds, the breaker closes and has forgotten everything; if it fails, it is open again.
///
/// Invariants (each with a test of that number):
///   1. It opens when at least min_calls of the last `window` outcomes are known and failure_rate of them are failures,
///      or at `consecutive` failures in a row.
///   2. Half open, one call is under way, never two.
///   3. Only succeeded and failed count; a probe that was neither makes room for another.
///   4. The end of a call that began before the last change of state changes nothing.
/// Every call is O(1).
class circuit_breaker {
 public:
  /// Of one call: in which state it began.
  using ticket = std::uint64_t;

  explicit circuit_breaker(const breaker_spec& rules);

  /// Whether a call may begin: not while it is open, and not beside a probe.
  bool lets_through(instant now) const noexcept;

  /// Only when lets_through(). It becomes the probe where one is due.
  ticket begin(instant now);
  void end(ticket of, permit_end how, instant now);

  /// half_open from the beginning of the probe, not from the time when one may begin.
  breaker_state state() const noexcept { return state_; }

  /// When a probe may begin. Only while it is open and that is still to come.
  std::optional<instant> closed_until(instant now) const noexcept;

 private:
  void count(bool is_failure) noexcept;
  bool has_seen_enough() const noexcept;
  void change(breaker_state to) noexcept;

  breaker_spec rules_;
  breaker_state state_ = breaker_state::closed;
  ticket changes_ = 0;
  instant open_until_;
  bool probe_is_out_ = false;
  std::vector<char> outcomes_;  ///< The last `window`, a ring; 1 is a failure.
  std::size_t oldest_ = 0;
  std::int64_t failures_ = 0;  ///< In outcomes_.
  std::int64_t in_a_row_ = 0;
};

}  // namespace troupe
