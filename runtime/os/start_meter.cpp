#include "runtime/os/start_meter.hpp"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

constexpr std::size_t ring_size = 256;
constexpr std::size_t agents_max = 1'000;

std::chrono::microseconds length(start_meter::time from, start_meter::time to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

// The smallest value that `part` of all are not above (nearest rank). `sorted` is not empty.
std::chrono::microseconds quantile(const std::vector<std::chrono::microseconds>& sorted, double part) {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

void start_meter::add(record& to, std::chrono::microseconds took) {
  if (to.newest.size() < ring_size) {
    to.newest.push_back(took);
  } else {
    to.newest[static_cast<std::size_t>(to.starts) % ring_size] = took;
  }
  ++to.starts;
}

start_meter::record& start_meter::record_of(const std::string& agent) {
  const auto known = agents_.find(agent);
  if (known != agents_.end()) {
    return known->second;
  }
  return agents_[agents_.size() < agents_max ? agent : "others"];
}

void start_meter::asked(const std::string& group, time at) {
  if (!group.empty()) {
    auto& together = under_way_.try_emplace(group, batch{at}).first->second;
    ++together.under_way;
    ++together.size;
  }
}

void start_meter::started(const std::string& agent, const std::string& group, time asked, time at) {
  if (!agent.empty()) {
    add(record_of(agent), length(asked, at));
  }
  settle(group, at, 0);
}

void start_meter::failed(const std::string& agent, const std::string& group, time at) {
  if (!agent.empty()) {
    ++record_of(agent).failures;
  }
  settle(group, at, 1);
}

// A batch is over when none of it is under way any more; one start alone is none.
void start_meter::settle(const std::string& group, time at, std::size_t failures) {
  const auto found = under_way_.find(group);
  if (found == under_way_.end()) {
    return;
  }
  auto& together = found->second;
  together.failures += failures;
  if (--together.under_way > 0) {
    return;
  }
  if (together.size > 1 && together.failures == 0) {
    add(batches_, length(together.first_asked, at));
  } else if (together.size > 1) {
    ++batches_.failures;
  }
  under_way_.erase(found);
}

start_figures start_meter::figures(const std::string& agent, const record& from) {
  start_figures made{agent, from.starts, from.failures};
  if (auto sorted = from.newest; !sorted.empty()) {
    std::ranges::sort(sorted);
    made.p50 = quantile(sorted, 0.5);
    made.p95 = quantile(sorted, 0.95);
  }
  return made;
}

starts_view start_meter::view() const {
  starts_view made;
  for (const auto& [agent, known] : agents_) {
    made.agents.push_back(figures(agent, known));
  }
  made.batches = figures({}, batches_);
  return made;
}

}  // namespace troupe
