// What has been used of a provider within the last minute.
#pragma once

#include "actors/governor/moment.hpp"
#include "messages/limits.hpp"
#include "messages/provider.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace troupe {

/// A sliding sum: in no span of `length` is more let go than a minute's limit, so that a provider that counts by the
/// minute of the clock, by the last 60 seconds or by a bucket that refills finds it within its limit each time.
///
/// Invariants (each with a test of that number):
///   1. What is reserved counts from then on for `length`; it is settled by what was used.
///   2. What was used beyond the reservation counts from when it is known: nothing is let go that is not counted.
///   3. An attempt that alone is larger than a limit waits until nothing else counts, and is let go then.
class use_window {
 public:
  /// A minute, and what a request needs to reach the provider: it counts from its arrival there, we from its start
  /// here.
  static constexpr std::chrono::milliseconds length{61'000};

  /// Where a reservation stands.
  using place = std::uint64_t;

  struct amount {
    std::int64_t requests = 0;
    token_estimate tokens;
  };

  explicit use_window(const provider_spec& limits);

  /// When there is room: `now`, or later. Amortised O(1) while there is room.
  instant room_at(const token_estimate& wanted, instant now);

  place reserve(const token_estimate& expected, instant now);

  /// `expected` is what was reserved there.
  void settle(place where, const token_estimate& expected, const token_estimate& used, instant now);

  /// It did not reach the provider, or was refused: as if it had not been.
  void give_back(place where, instant now);

  /// From rows, before anything is reserved; in order of time.
  void restore(const token_estimate& used, instant at);

  /// What counts now.
  amount used(instant now);

 private:
  struct entry {
    instant at;
    amount what;
  };

  void drop_old(instant now);
  bool fits(const amount& beside, const token_estimate& wanted) const noexcept;
  void add(const amount& what, instant at);
  entry* find(place where);

  std::int64_t requests_max_;
  token_estimate tokens_max_;
  std::deque<entry> entries_;  ///< By time.
  place first_ = 0;            ///< Of entries_.front().
  amount sum_;                 ///< Of entries_.
};

}  // namespace troupe
