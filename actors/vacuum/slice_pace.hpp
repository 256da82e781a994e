// How much a slice takes on, so that it keeps the writer no longer than it may. Learns from the slices before.
#pragma once

#include "messages/maintenance.hpp"

#include <chrono>
#include <cstdint>

namespace troupe {

class slice_pace {
 public:
  static constexpr std::int64_t pages_min = 8;
  static constexpr std::int64_t pages_first = 64;
  static constexpr std::int64_t pages_max = 4'096;  ///< 16 MiB: half of the cache, so that nothing spills into the log.

  /// `limit` is for all of a slice, with its commit.
  explicit slice_pace(std::chrono::microseconds limit) noexcept : limit_(limit) {}

  vacuum_slice next(maintenance_turn turn) const noexcept;

  /// Aims at half of the limit: the other half is for what nobody foresees. Grows at most twofold, and learns nothing
  /// from a slice that gave way or came to the last page, unless it took too long for all that.
  void learn(const vacuum_progress& from) noexcept;

 private:
  std::chrono::microseconds limit_;
  std::int64_t pages_ = pages_first;
};

}  // namespace troupe
