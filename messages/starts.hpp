// How long starts of agents took, from the request to the running program.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct start_figures {
  std::string agent;  ///< Empty: of batches.
  std::int64_t starts = 0;
  std::int64_t failures = 0;         ///< The program did not run.
  std::chrono::microseconds p50{0};  ///< Of the newest 256 that succeeded.
  std::chrono::microseconds p95{0};
};

struct starts_view {
  std::vector<start_figures> agents;  ///< By name.
  /// Starts of one run that were under way together: from the first request to the last running program.
  start_figures batches;
};

}  // namespace troupe
