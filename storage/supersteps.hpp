// Supersteps and the state of a run over time.
//
// A state is kept as what changed: each committed superstep has the fields that it set and removed, and now and then a
// full copy. A copy comes as soon as the changes since the last one, each counted as at least 1 KiB, amount to the size
// of the state: reading a state costs at most about twice its size, and the file grows with what changes.
#pragma once

#include "messages/base/json_fields.hpp"
#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Rows of committed supersteps on top of each other, and the state that they come to.
class stacked_state {
 public:
  /// Nothing is known before the first full copy.
  stacked_state() = default;
  explicit stacked_state(json_fields known) : copy_(std::move(known)) {}

  /// One row more: the columns from `first` on are state, changes, removed. False where they are not what we wrote, or
  /// change what is not known: then nothing is known any more.
  bool add(const prepared& row, int first);

  /// After the last row. Only where it is known. Takes time in the size of the state, where rows have changed it.
  const json_fields& fields();

 private:
  bool add_changes(std::string_view changes, std::string_view removed);

  std::optional<json_fields> copy_;
  std::map<std::string, std::optional<std::string>, std::less<>> since_;  // the copy; none: removed
};

/// The state after `superstep`, which is committed; 0 is the initial one. NOT_FOUND, or STORAGE_CORRUPT where the rows
/// do not add up to a state.
result<json_fields> load_state(statement_cache& sql, const run_id& run, superstep_no superstep);

/// Superstep 0: the initial state. INTERNAL where it is not an object.
status save_initial_state(run_change& change, const create_run& told);

/// The row of a superstep that begins.
status open_superstep(run_change& change,
                      const superstep_standing& standing,
                      const std::vector<planned_task>& front,
                      const std::vector<gate_opening>& gates);

status commit(run_change& change, const commit_superstep& told);

}  // namespace troupe
