// Raw output of attempts, as bytes.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

namespace troupe {

/// The attempt's output and how its process ended; the task is validating.
status record(run_change& change, const record_output& told);

}  // namespace troupe
