#include "messages/health.hpp"

#include <algorithm>

namespace troupe {

bool health_view::healthy() const noexcept {
  return std::ranges::all_of(actors, &actor_health::well) && std::ranges::all_of(jobs, &job_health::well);
}

}  // namespace troupe
