// Supersteps and the state of a run over time.
//
// A state is kept as what changed: each committed superstep has the fields that it set and removed, and now and then a
// full copy. A copy comes as soon as the changes since the last one, each counted as at least 1 KiB, amount to the size
// of the state: reading a state costs at most about twice its size, and the file grows with what changes.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

/// A state by its top-level fields: the name, and the JSON text of the value.
using state_fields = std::map<std::string, std::string, std::less<>>;

/// In canonical form.
json_text state_text(const state_fields& fields);

/// One stored superstep on top of the state before it: the columns from `first` on are state, changes, removed. False
/// where they are not what we wrote; `fields` is then no state any more.
bool apply_row(state_fields& fields, const prepared& row, int first);

/// The state after `superstep`, which is committed; 0 is the initial one. NOT_FOUND, or STORAGE_CORRUPT where the rows
/// do not add up to a state.
result<state_fields> load_state(statement_cache& sql, const run_id& run, superstep_no superstep);

/// Superstep 0: the initial state. INTERNAL where it is not an object.
status save_initial_state(run_change& change, const create_run& told);

/// The row of a superstep that begins.
status open_superstep(run_change& change,
                      const superstep_standing& standing,
                      const std::vector<planned_task>& front,
                      const std::vector<gate_opening>& gates);

status commit(run_change& change, const commit_superstep& told);

}  // namespace troupe
