// What holds between rows and no constraint of the schema says: Troupe's own invariants, as queries for what breaks them.
#pragma once

#include <span>

namespace troupe {

struct stored_invariant {
  const char* rule;        ///< Named in findings and in docs/schema.md: never rename.
  const char* holds;       ///< The invariant, in a sentence.
  const char* violations;  ///< A query: one column, a line of text for each violation. Empty when all is well.
};

std::span<const stored_invariant> stored_invariants() noexcept;

}  // namespace troupe
