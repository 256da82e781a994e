#include "messages/workflow.hpp"

#include <algorithm>

namespace troupe {

const step* find_step(const workflow& flow, const step_id& id) noexcept {
  const auto found = std::ranges::find(flow.steps, id, &step::id);
  return found == flow.steps.end() ? nullptr : &*found;
}

}  // namespace troupe
