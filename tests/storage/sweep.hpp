// How much of a sweep is carried out: what a test run has time for, or all of it.
#pragma once

#include <cstdlib>
#include <string>

namespace troupe {

/// TROUPE_SWEEP=all in the environment: every place, however long it takes (minutes).
inline bool sweeps_all() {
  const char* const asked = std::getenv("TROUPE_SWEEP");  // NOLINT(concurrency-mt-unsafe): one thread
  return asked != nullptr && std::string{asked} == "all";
}

}  // namespace troupe
