// Gates: what a run asks people, who decided what, and what became of it.
#pragma once

#include "messages/gate.hpp"
#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <vector>

namespace troupe {

/// INTERNAL where the superstep is not the open one, or the gate is there already.
status open(run_change& change, const gate_opening& asked);

status open(run_change& change, const open_gate& told);
status decide(run_change& change, const decide_gate& told);
status expire(run_change& change, const expire_gate& told);

/// The gate's decision is in the commit of the open superstep. INTERNAL where it is open, or taken.
status take(run_change& change, const gate_place& place);

/// The open superstep is committed: of its interrupted tasks nobody waits for a decision any more. Those that have one
/// are taken, the others cancelled. No event: nothing depends on them.
void close_crash_gates(run_change& change);

/// All that are open: nobody waits for their decisions any more. No event: the run's own end tells it.
void cancel_gates(run_change& change);

/// Some gate is open, or decided and not taken.
bool has_live_gates(run_change& change);

/// Those that are open or not taken, in the order in which they were opened.
std::vector<gate_view> list_live_gates(statement_cache& sql, const run_id& run);

/// All of a run, in the order in which they were opened.
std::vector<gate_view> list_gates(statement_cache& sql, const run_id& run);

/// Open gates of runs that have not ended, the oldest first.
std::vector<pending_view> list_pending(statement_cache& sql);

}  // namespace troupe
