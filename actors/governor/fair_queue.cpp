#include "actors/governor/fair_queue.hpp"

#include <algorithm>

namespace troupe {

void fair_queue::push(lane_no where, const run_id& run, int priority, ticket who, instant now) {
  if (where >= lanes_.size()) {
    lanes_.resize(where + 1);
  }
  auto& into = lanes_[where];
  const auto [found, is_new] = into.by_run.try_emplace(run);
  found->second.tickets.emplace(who, waiting{std::clamp(priority, 0, level_max), now});
  places_.emplace(who, place{where, found});
  ++into.waiting;
  if (is_new) {
    found->second.served = now;
    put_in(into, *found, now);
  }
}

// Behind all others of its level.
void fair_queue::put_in(lane& into, lines::value_type& which, instant now) {
  auto& of = which.second;
  const auto& first = of.tickets.begin()->second;
  const auto hungry_since = std::max(first.since, of.served);
  const auto steps = std::clamp<std::int64_t>((now - hungry_since) / ageing_step, 0, level_max);
  of.level = std::min(level_max, first.priority + static_cast<int>(steps));
  of.turn = ++turns_;
  into.order.emplace(-of.level, of.turn, &which);
  of.rises_at = hungry_since + (steps + 1) * ageing_step;
  if (of.level < level_max) {
    into.rising.emplace(of.rises_at, &which);
  }
}

void fair_queue::take_out(lane& from, lines::value_type& which) {
  const auto& of = which.second;
  from.order.erase({-of.level, of.turn, &which});
  from.rising.erase({of.rises_at, &which});
}

void fair_queue::let_rise(lane& in, instant now) {
  while (!in.rising.empty() && in.rising.begin()->first <= now) {
    auto& which = *in.rising.begin()->second;
    take_out(in, which);
    put_in(in, which, now);
  }
}

bool fair_queue::take(ticket who, std::optional<instant> served, instant now) {
  const auto found = places_.find(who);
  if (found == places_.end()) {
    return false;
  }
  const auto [number, line_of] = found->second;
  places_.erase(found);
  auto& in = lanes_[number];
  --in.waiting;
  auto& of = line_of->second;
  const bool was_first = of.tickets.begin()->first == who;
  if (!was_first && !served) {
    of.tickets.erase(who);
    return true;
  }
  take_out(in, *line_of);
  of.tickets.erase(who);
  of.served = served.value_or(of.served);
  if (of.tickets.empty()) {
    in.by_run.erase(line_of);
  } else {
    put_in(in, *line_of, now);
  }
  return true;
}

bool fair_queue::remove(ticket who, instant now) { return take(who, std::nullopt, now); }

void fair_queue::pop(ticket who, instant now) { take(who, now, now); }

std::optional<std::pair<fair_queue::lane_no, fair_queue::ticket>> fair_queue::front(
    const std::function<bool(lane_no)>& is_open, instant now) {
  const std::tuple<int, std::uint64_t, lines::iterator::pointer>* best = nullptr;
  lane_no where = 0;
  for (lane_no i = 0; i < lanes_.size(); ++i) {
    auto& in = lanes_[i];
    if (in.order.empty() || !is_open(i)) {
      continue;
    }
    let_rise(in, now);
    if (best == nullptr || *in.order.begin() < *best) {
      best = &*in.order.begin();
      where = i;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  return std::pair{where, std::get<2>(*best)->second.tickets.begin()->first};
}

std::vector<fair_queue::ticket> fair_queue::clear(lane_no which) {
  std::vector<ticket> all;
  if (which >= lanes_.size()) {
    return all;
  }
  for (const auto& [run, line_of] : lanes_[which].by_run) {
    for (const auto& [who, what] : line_of.tickets) {
      all.push_back(who);
      places_.erase(who);
    }
  }
  lanes_[which] = {};
  std::ranges::sort(all);
  return all;
}

}  // namespace troupe
