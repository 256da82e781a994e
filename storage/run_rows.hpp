// Rows of runs and tasks as the views that readers get.
#pragma once

#include "messages/base/result.hpp"
#include "messages/views.hpp"
#include "storage/statements.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// All but `result`, which is put together from the supersteps. None: there is no such run. `abandoned` by the rows alone:
/// a newer owner has come.
std::optional<run_view> find_run_row(statement_cache& sql, const run_id& run);

/// Newest first, children of a run in the order of their start; without inputs.
std::vector<run_view> list_run_rows(statement_cache& sql, const run_filter& filter);

/// By superstep, then graph order. Of one superstep where it is given.
std::vector<task_view> list_task_rows(statement_cache& sql, const run_id& run, std::optional<superstep_no> superstep);

/// Tasks whose latest attempt has a process and no end.
std::vector<task_view> list_leftover_rows(statement_cache& sql);

/// What one attempt of `task` was: its process, times, error and output. False: there was no such attempt.
bool show_attempt(statement_cache& sql, task_view& task, attempt_no attempt);

/// tasks.deltas and tasks.route as values. Throw damaged_row.
std::vector<field_delta> deltas_in(const std::string& text);
std::vector<step_id> route_in(const std::string& text);

/// Up to three runs whose ids are most like `run`.
std::vector<run_id> nearest_runs(statement_cache& sql, const run_id& run);

}  // namespace troupe
