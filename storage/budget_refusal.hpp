// What is said where a budget is at its end.
#pragma once

#include "storage/budgets.hpp"

#include <cstdint>

namespace troupe {

/// A budget as it stands, in its unit. `line.amount`: what the next attempt is expected to use; 0: nobody knows.
struct budget_standing {
  budget_line line;
  std::int64_t ceiling = 0;
  std::int64_t reserved = 0;
  std::int64_t spent = 0;
};

/// BUDGET_EXCEEDED; the hint names the key that raises the ceiling.
error refusal_of(const budget_standing& standing);

}  // namespace troupe
