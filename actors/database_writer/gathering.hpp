// When a batch waits a moment for company. Without CAF and without a clock.
#pragma once

#include <chrono>
#include <cstddef>

namespace troupe {

/// Senders who wait for each receipt fall into two groups, each of which tells its next facts while the other's commit is
/// under way: every sync then serves half of them. Where a commit takes long, it pays to give those who were answered a
/// moment ago the time to come back. (The same thought: commit_delay and commit_siblings, postgresql.org/docs, WAL.)
///
/// A lone command never waits, nor one that comes after a silence. Times are of a clock that only goes forward.
class gathering {
 public:
  using duration = std::chrono::microseconds;

  /// `pause` is what a moment is.
  explicit gathering(duration pause) noexcept : pause_(pause) {}

  /// Asked when a batch could begin: true at most once for each, after a batch of several that took long.
  bool pauses(duration now) noexcept;

  /// The COMMIT of a batch of `answered` commands took `took` (whatever the size of the batch) and ended at `now`.
  void committed(std::size_t answered, duration took, duration now) noexcept;

 private:
  static constexpr int worth = 8;         // a COMMIT must take so many pauses
  static constexpr int silence_from = 8;  // COMMITs

  duration pause_;
  std::size_t answered_ = 0;  // by the last batch
  duration took_{0};
  duration ended_{0};
  bool has_paused_ = false;
};

}  // namespace troupe
