#include "actors/supervisor/restart_plan.hpp"

#include <algorithm>
#include <numeric>

namespace troupe {

restart_plan::restart_plan(std::vector<child> children, restart_intensity intensity, restart_strategy strategy)
    : intensity_(intensity), strategy_(strategy) {
  for (auto& what : children) {
    children_.emplace_back().what = std::move(what);
  }
}

std::vector<std::size_t> restart_plan::due(std::int64_t number) {
  if (stopping_) {
    return {};
  }
  if (number == 0) {
    std::vector<std::size_t> all(children_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  auto found = awaited_.extract(number);
  return found.empty() ? std::vector<std::size_t>{} : std::move(found.mapped());
}

void restart_plan::started(std::size_t index) {
  ++children_[index].starts;
  children_[index].state = child_state::running;
}

restart_plan::effect restart_plan::all_started(time at) {
  group_.reset();
  return next_death(at);
}

restart_plan::effect restart_plan::start_failed(std::size_t index, const std::string& reason, time at) {
  auto& failed = children_[index];
  failed.last_reason = reason;
  failed.state = child_state::ended;
  if (restarts_ == 0) {
    gave_up_ = failed.what.name + " cannot be started: " + reason;
    return stop();
  }
  return begin_restart(index, at);
}

restart_plan::effect restart_plan::ended(std::size_t index, const std::string& reason, time at) {
  auto& gone = children_[index];
  const bool was_asked = gone.state == child_state::stopping;
  gone.state = child_state::ended;
  if (!reason.empty()) {
    gone.last_reason = reason;
  }
  if (stopping_) {
    return stop_next(0);
  }
  if (!group_) {
    return deal_with_death(index, reason, at);
  }
  if (index < *group_) {
    deaths_.emplace_back(index, reason);
    return wait{};
  }
  // Of the group: only the end of the one that was asked lets the next be asked.
  return was_asked ? stop_rest_of_group() : effect{wait{}};
}

restart_plan::effect restart_plan::deal_with_death(std::size_t index, const std::string& reason, time at) {
  const auto type = children_[index].what.type;
  const bool again = type == restart_type::permanent || (type == restart_type::transient && !reason.empty());
  return again ? begin_restart(index, at) : next_death(at);
}

// What had died while a group was restarted.
restart_plan::effect restart_plan::next_death(time at) {
  if (group_ || deaths_.empty()) {
    return wait{};
  }
  const auto [index, reason] = std::move(deaths_.front());
  deaths_.pop_front();
  return deal_with_death(index, reason, at);
}

bool restart_plan::is_too_much(time at) {
  while (!recent_.empty() && at - recent_.front() > intensity_.window) {
    recent_.pop_front();
  }
  recent_.push_back(at);
  return recent_.size() > static_cast<std::size_t>(intensity_.count);
}

milliseconds restart_plan::pause() const {
  const auto doublings = static_cast<int>(std::min<std::size_t>(recent_.size() - 1, 8));
  return doublings == 0 ? milliseconds{0} : milliseconds{5} * (1 << doublings);
}

restart_plan::effect restart_plan::begin_restart(std::size_t index, time at) {
  auto& dead = children_[index];
  ++restarts_;
  if (is_too_much(at)) {
    gave_up_ = dead.what.name + " died more than " + std::to_string(intensity_.count) + " times within " +
               to_text(intensity_.window) + ", last of: " + dead.last_reason;
    return stop();
  }
  dead.state = child_state::restarting;
  if (strategy_ == restart_strategy::one_for_one) {
    awaited_[restarts_] = {index};
    return restart{restarts_, pause()};
  }
  group_ = strategy_ == restart_strategy::one_for_all ? 0 : index;
  std::erase_if(deaths_, [&](const auto& death) { return death.first >= *group_; });  // restarted with it
  return stop_rest_of_group();
}

restart_plan::effect restart_plan::stop_rest_of_group() {
  if (auto next = stop_next(*group_); !std::holds_alternative<end_self>(next)) {
    return next;
  }
  auto& those = awaited_[restarts_];
  for (std::size_t index = *group_; index < children_.size(); ++index) {
    if (children_[index].what.type != restart_type::temporary) {
      children_[index].state = child_state::restarting;
      those.push_back(index);
    }
  }
  return restart{restarts_, pause()};
}

restart_plan::effect restart_plan::stop() {
  if (stopping_) {
    return wait{};
  }
  stopping_ = true;
  group_.reset();
  awaited_.clear();
  for (auto& each : children_) {
    if (each.state == child_state::restarting) {
      each.state = child_state::ended;
    }
  }
  return stop_next(0);
}

// The last of those from `first` on that is there; where none is, the end.
restart_plan::effect restart_plan::stop_next(std::size_t first) {
  for (std::size_t index = children_.size(); index > first; --index) {
    auto& last = children_[index - 1];
    if (last.state == child_state::stopping) {
      return wait{};
    }
    if (last.state == child_state::running) {
      last.state = child_state::stopping;
      return stop_child{index - 1};
    }
  }
  return end_self{gave_up_};
}

std::vector<child_view> restart_plan::view() const {
  std::vector<child_view> all;
  for (const auto& each : children_) {
    auto& facts = all.emplace_back();
    facts.name = each.what.name;
    facts.state = each.state;
    facts.restarts = std::max<std::int64_t>(each.starts - 1, 0);
    facts.last_reason = each.last_reason;
  }
  return all;
}

}  // namespace troupe
