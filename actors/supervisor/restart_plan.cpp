#include "actors/supervisor/restart_plan.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

restart_plan::restart_plan(std::vector<child> children, restart_intensity intensity) : intensity_(intensity) {
  for (auto& what : children) {
    children_.emplace_back().what = std::move(what);
  }
}

void restart_plan::started(std::size_t index) { children_[index].alive = true; }

restart_plan::effect restart_plan::ended(std::size_t index, const std::string& reason, time at) {
  auto& gone = children_[index];
  gone.alive = false;
  if (stopping_) {
    return stop_next();
  }
  if (!reason.empty()) {
    gone.last_reason = reason;
  }
  const bool again =
      gone.what.type == restart_type::permanent || (gone.what.type == restart_type::transient && !reason.empty());
  return again ? restart(index, at) : effect{wait{}};
}

restart_plan::effect restart_plan::restart(std::size_t index, time at) {
  while (!recent_.empty() && at - recent_.front() > intensity_.window) {
    recent_.pop_front();
  }
  recent_.push_back(at);
  auto& dead = children_[index];
  if (recent_.size() > static_cast<std::size_t>(intensity_.count)) {
    gave_up_ = dead.what.name + " died more than " + std::to_string(intensity_.count) + " times within " +
               to_text(intensity_.window) + ", last of: " + dead.last_reason;
    return stop();
  }
  ++dead.restarts;
  const auto doublings = static_cast<int>(std::min<std::size_t>(recent_.size() - 1, 8));
  return start_child{index, doublings == 0 ? milliseconds{0} : milliseconds{5} * (1 << doublings)};
}

restart_plan::effect restart_plan::stop() {
  if (stopping_) {
    return wait{};
  }
  stopping_ = true;
  return stop_next();
}

restart_plan::effect restart_plan::stop_next() {
  for (std::size_t index = children_.size(); index > 0; --index) {
    if (children_[index - 1].alive) {
      return stop_child{index - 1};
    }
  }
  return end_self{gave_up_};
}

tree_view restart_plan::view() const {
  tree_view tree;
  for (const auto& each : children_) {
    tree.children.push_back({each.what.name, each.alive, each.restarts, each.last_reason});
  }
  return tree;
}

}  // namespace troupe
