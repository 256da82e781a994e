// What tests choose of too many cases, and by which seed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string_view>

namespace troupe {

/// TROUPE_SEED, or any; tests print it.
inline std::uint64_t chosen_seed() {
  const char* const given = std::getenv("TROUPE_SEED");  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

/// TROUPE_MATRIX=all: everything that a seed else chooses from.
inline bool wants_all() {
  const char* const given = std::getenv("TROUPE_MATRIX");  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return given != nullptr && std::string_view{given} == "all";
}

}  // namespace troupe
