// How a command ends, for scripts. The contract, section 5.
#pragma once

#include "messages/base/error.hpp"
#include "messages/views.hpp"

namespace troupe {

enum class exit_code : int {
  completed = 0,
  failed = 1,
  usage = 2,     ///< Wrong usage, invalid workflow or configuration, no such run.
  degraded = 3,  ///< Only with --strict.
  paused = 4,
  cancelled = 5,
  limit = 6,  ///< Time, steps or budget.
  storage = 7,
  lease_held = 8,
  internal = 70,
};

/// Of a command that was refused or could not do its work.
exit_code exit_code_of(error_code code) noexcept;

/// Of a run that was carried out here.
exit_code exit_code_of(const run_view& run, bool strict) noexcept;

}  // namespace troupe
