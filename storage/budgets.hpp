// What may be used up in all: by a run with its child runs, by the runs about one subject, by the runs of one day.
//
// A budget's row is made by the first reservation, with what has been used up by then. `spent` is of attempts that have
// ended, `reserved` of those that have not; what is left of the ceiling is there for the next.
#pragma once

#include "messages/writes.hpp"
#include "storage/run_change.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A budget, and how much of it an attempt holds.
struct budget_line {
  budget_scope scope = budget_scope::run;
  std::string key;  ///< The run's id, the subject, or the day as 2026-11-21.
  budget_unit unit = budget_unit::microusd;
  std::int64_t amount = 0;
};

/// Errors: as reserve_budget in messages/writes.hpp; CANCELLED where the attempt has begun before.
status reserve(run_change& change, const reserve_budget& told);

/// What the attempt holds; it holds nothing afterwards, but `reserved` of each is reduced by spend() only.
std::vector<budget_line> take_reservations(run_change& change, const task_id& task, attempt_no attempt);

/// Of the other budgets that are kept and count the run's attempts, nothing: the attempt began before they were, or in a
/// process that does not have them. What has reserved of one day counts for that day, and not for another.
void add_unreserved(run_change& change, std::vector<budget_line>& lines);

/// The attempt's amount of `line` is not reserved any more, and `spent` is. Event: budget.warned at 80, 90 and 100 %,
/// once each.
void spend(
    run_change& change, const task_reference& task, attempt_no attempt, const budget_line& line, std::int64_t spent);

/// The run ends: what attempts that never began still hold is given back.
void release_reservations(run_change& change);

/// BUDGET_EXCEEDED: the run, or one above it, has used up more than it may.
std::optional<error> find_overrun(statement_cache& sql, const known_rows& known, const run_id& run);

}  // namespace troupe
