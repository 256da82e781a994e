// How a provider that refuses (429) is approached again: the brain of the second half of RT-5.
#pragma once

#include "actors/governor/moment.hpp"

#include <cstdint>
#include <optional>

namespace troupe {

/// After a refusal nothing begins until the provider wants to be asked again; then one attempt, the probe; when that
/// has succeeded, half of what was under way at the refusal, and one more after each round of successes (additive
/// increase, multiplicative decrease).
///
/// Invariants (each with a test of that number):
///   1. A refusal halves what may be under way, down to one; those under way at that time do not halve it again.
///   2. It grows by one when as many attempts as are allowed have succeeded, up to the configured number.
///   3. From a refusal until a success, one attempt is under way at most, beside those that were before it.
///   4. For five minutes after a refusal two beginnings are as far apart as a refusal takes to come back, twice over:
///      the second knows how the first was received, and no two refusals are on their way at a time.
///   5. Without a word of the provider it is left alone for 5 s, twice as long after each further refusal, 60 s at
///      most.
class refusal_pace {
 public:
  /// Counts beginnings; what is older than a refusal is told by it.
  using ticket = std::uint64_t;

  /// 0: no limit, until the first refusal.
  explicit refusal_pace(int concurrency_max);

  /// When one more may begin: `now`, later, or none: when another has ended.
  std::optional<instant> room_at(instant now) const noexcept;

  ticket begin(instant now);
  void succeeded(ticket of);
  void refused(ticket of, instant began, std::optional<milliseconds> retry_after, instant now);
  void ended_otherwise(ticket of);

  int running() const noexcept { return running_; }

  /// Allowed now; 0: no limit.
  int concurrency() const noexcept { return concurrency_; }

  /// While the provider wants to be left alone.
  std::optional<instant> paused_until(instant now) const noexcept;

 private:
  void end(ticket of);

  int concurrency_max_;
  int concurrency_;
  int running_ = 0;
  int successes_ = 0;  ///< Of the present round.
  ticket begun_ = 0;
  ticket refused_at_ = 0;  ///< Attempts up to this one began before the last halving.
  bool is_probing_ = false;
  std::optional<ticket> probe_;
  instant paused_until_;
  int refusals_ = 0;  ///< In a row.
  instant last_begin_;
  std::chrono::nanoseconds spacing_{0};
  instant wary_until_;
};

}  // namespace troupe
