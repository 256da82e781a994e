// A person's decision about a run that nobody carries out.
#pragma once

#include "messages/base/result.hpp"
#include "messages/gate.hpp"
#include "runtime/gate_question.hpp"
#include "storage/storage_options.hpp"

namespace troupe {

/// As node::decide, without a node: takes the lease for so long, and writes the one fact that a node would write. Whoever
/// goes on with the run finds the decision. Nothing else of the database changes; what has expired meanwhile is for whoever
/// goes on, too. Blocks on the disk. Errors: as node::decide; LEASE_HELD: ask the process that has it; STORAGE_*.
result<gate_receipt> decide_in_rows(const storage_options& storage,
                                    const run_id& run,
                                    const gate_question& which,
                                    gate_decision decision);

}  // namespace troupe
