#include "actors/crash_orders.hpp"

#include <algorithm>

namespace troupe {

std::optional<crash_point> crash_point_from(std::string_view name) noexcept {
  const auto* found = std::ranges::find(crash_points, name, &decltype(crash_points)::value_type::second);
  return found == crash_points.end() ? std::nullopt : std::optional{found->first};
}

void crash_orders::order(const task_id& task, attempt_no attempt, crash_point where) {
  const std::scoped_lock lock{guard_};
  ordered_.insert_or_assign({task, attempt}, where);
  any_.store(true, std::memory_order_release);
}

void crash_orders::reach(crash_point where, const task_id& task, attempt_no attempt) {
  const auto is_due = [&] {
    const std::scoped_lock lock{guard_};
    const auto found = ordered_.find({task, attempt});
    return found != ordered_.end() && found->second == where;
  };
  if (is_due()) {
    die_();
  }
}

}  // namespace troupe
