#include "actors/vacuum/slice_pace.hpp"

#include <algorithm>

namespace troupe {

// Freeing gets a quarter: the commit of pages that were moved takes as long again, and up to twice as long.
vacuum_slice slice_pace::next(maintenance_turn turn) const noexcept { return {pages_, limit_ / 4, turn}; }

void slice_pace::learn(const vacuum_progress& from) noexcept {
  const bool is_whole = from.end == slice_end::pages_freed || from.end == slice_end::out_of_time;
  if (!is_whole && from.took <= limit_) {
    return;
  }
  const auto took = std::max<std::int64_t>(from.took.count(), 1);
  // At most pages_max pages and an hour of microseconds: far from what the type holds.
  const auto fitting = std::min(from.freed_pages, pages_max) * (limit_.count() / 2) / took;
  pages_ = std::clamp(fitting, std::max(pages_ / 4, pages_min), std::min(pages_ * 2, pages_max));
}

}  // namespace troupe
