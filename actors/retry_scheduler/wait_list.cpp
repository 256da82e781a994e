#include "actors/retry_scheduler/wait_list.hpp"

namespace troupe {

std::optional<wait_list::waiter> wait_list::add(const run_id& run, const std::string& key, timestamp due, waiter who) {
  const auto of = by_run_.try_emplace(run).first;
  const auto [place, is_new] = of->second.try_emplace(key);
  std::optional<waiter> replaced;
  if (!is_new) {
    const auto former = by_time_.find(place->second);
    replaced = former->second.who;
    by_time_.erase(former);
  }
  place->second = {due, ++arrivals_};
  by_time_.emplace(place->second, waiting{who, &of->first, &place->first});
  return replaced;
}

wait_list::waiter wait_list::remove(keys& of, keys::iterator which) {
  const auto found = by_time_.find(which->second);
  const auto who = found->second.who;
  by_time_.erase(found);
  of.erase(which);
  return who;
}

std::vector<wait_list::waiter> wait_list::forget(const run_id& run, std::string_view key) {
  std::vector<waiter> forgotten;
  const auto of = by_run_.find(run);
  if (of == by_run_.end()) {
    return forgotten;
  }
  auto& waiting_keys = of->second;
  for (auto each = waiting_keys.begin(); key.empty() && each != waiting_keys.end(); each = waiting_keys.begin()) {
    forgotten.push_back(remove(waiting_keys, each));
  }
  if (const auto one = waiting_keys.find(key); one != waiting_keys.end()) {
    forgotten.push_back(remove(waiting_keys, one));
  }
  if (waiting_keys.empty()) {
    by_run_.erase(of);
  }
  return forgotten;
}

std::vector<wait_list::waiter> wait_list::take_due(timestamp now) {
  std::vector<waiter> due;
  while (!by_time_.empty() && by_time_.begin()->first.first <= now) {
    const auto first = by_time_.begin()->second;
    const auto of = by_run_.find(*first.run);
    due.push_back(remove(of->second, of->second.find(*first.key)));
    if (of->second.empty()) {
      by_run_.erase(of);
    }
  }
  return due;
}

std::optional<timestamp> wait_list::next() const {
  return by_time_.empty() ? std::nullopt : std::optional{by_time_.begin()->first.first};
}

std::vector<wait_view> wait_list::earliest(std::size_t count_max) const {
  std::vector<wait_view> all;
  for (const auto& [place, each] : by_time_) {
    if (all.size() == count_max) {
      break;
    }
    all.push_back({*each.run, *each.key, place.first});
  }
  return all;
}

}  // namespace troupe
