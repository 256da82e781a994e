// How much of a sweep is carried out: what a test run has time for, or all of it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace troupe {

/// TROUPE_SWEEP=all in the environment: every place, however long it takes (minutes).
inline bool sweeps_all() {
  const char* const asked = std::getenv("TROUPE_SWEEP");  // NOLINT(concurrency-mt-unsafe): one thread
  return asked != nullptr && std::string{asked} == "all";
}

/// TROUPE_SEED in the environment, to see again what a sweep with that seed has found; else another one each time.
inline std::uint64_t sweep_seed() {
  const char* const asked = std::getenv("TROUPE_SEED");  // NOLINT(concurrency-mt-unsafe): one thread
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : std::random_device{}();
}

}  // namespace troupe
