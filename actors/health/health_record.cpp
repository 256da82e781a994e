#include "actors/health/health_record.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

health_record::news change(bool& well, bool to) {
  const bool before = std::exchange(well, to);
  if (before == to) {
    return health_record::news::none;
  }
  return to ? health_record::news::back : health_record::news::lost;
}

}  // namespace

health_record::health_record(const std::vector<std::string>& actors) {
  for (const auto& name : actors) {
    view_.actors.emplace_back().name = name;
  }
}

health_record::news health_record::answered(std::size_t index,
                                            timestamp at,
                                            std::chrono::microseconds latency,
                                            std::int64_t waiting) {
  auto& who = view_.actors[index];
  who.last_answer = at;
  who.latency = latency;
  who.waiting = waiting;
  return change(who.well, true);
}

health_record::news health_record::silent(std::size_t index) { return change(view_.actors[index].well, false); }

health_record::news health_record::told(const job_health& job) {
  auto found = std::ranges::find(view_.jobs, job.name, &job_health::name);
  if (found == view_.jobs.end()) {
    found = view_.jobs.insert(found, {job.name, true, std::nullopt});
  }
  found->last_success = job.last_success;
  return change(found->well, job.well);
}

}  // namespace troupe
