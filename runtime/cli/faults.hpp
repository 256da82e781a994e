// Failures that the user ordered with TROUPE_FAULTS.
#pragma once

#include "actors/fault_plan.hpp"
#include "runtime/cli/context.hpp"

#include <memory>

namespace troupe {

inline constexpr const char* faults_variable = "TROUPE_FAULTS";

/// Null where none are. INVALID_INPUT: what is wrong with the text, and which names there are.
result<std::shared_ptr<fault_plan>> ordered_faults(const context& with);

/// A line beside the result of a run for each, unless -q or --json: how often it happened.
void tell_used_faults(context& with, const fault_plan& faults);

}  // namespace troupe
