#include "messages/consensus.hpp"

#include "messages/workflow.hpp"

#include <algorithm>

namespace troupe {

int quorum_of(const consensus_policy& policy, int asked) noexcept {
  if (policy.strategy == consensus_strategy::race) {
    return 1;
  }
  if (policy.quorum) {
    return *policy.quorum;
  }
  const int two_thirds = (2 * asked + 2) / 3;  // rounded up
  return asked >= 2 ? std::max(2, two_thirds) : 1;
}

int fewest_of(const consensus_policy& policy, int asked) noexcept {
  const int quorum = quorum_of(policy, asked);
  return policy.min_answers ? std::min(*policy.min_answers, quorum) : quorum;
}

std::string_view to_string(verdict_status status) noexcept {
  switch (status) {
    case verdict_status::ok:
      return "ok";
    case verdict_status::degraded:
      return "degraded";
    case verdict_status::conflict:
      return "conflict";
    case verdict_status::insufficient:
      return "insufficient";
  }
  return "unknown";
}

}  // namespace troupe
