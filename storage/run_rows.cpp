#include "storage/run_rows.hpp"

#include "messages/base/json_slices.hpp"
#include "storage/stored_names.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace troupe {
namespace {

#define TROUPE_RUN_COLUMNS                                                                                  \
  "SELECT run_id, workflow, workflow_hash, subject, state, degraded, steps, supersteps, state_hash,"        \
  " input_tokens, output_tokens, cost_microusd, started_at, finished_at, error_code, error_message,"        \
  " error_hint, failed_step, last_seq, state = 'running' AND epoch < (SELECT max(epoch) FROM lease),"       \
  " parent_run_id, parent_task_id, forked_at,"                                                              \
  " (SELECT count(*) FROM runs AS c WHERE c.parent_run_id = runs.run_id AND c.parent_task_id IS NOT NULL)," \
  " unpriced, attempt_time_us"

constexpr const char* run_by_id = TROUPE_RUN_COLUMNS ", inputs FROM runs WHERE run_id = ?";

constexpr const char* runs_newest_first = TROUPE_RUN_COLUMNS
    " FROM runs WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR subject = ?2)"
    " AND (NOT ?4 OR parent_task_id IS NULL) ORDER BY started_at DESC, id DESC LIMIT ?3";

// In the order in which they were begun.
constexpr const char* runs_of_parent = TROUPE_RUN_COLUMNS
    " FROM runs WHERE parent_run_id = ?4 AND parent_task_id IS NOT NULL AND (?1 IS NULL OR state = ?1)"
    " AND (?2 IS NULL OR subject = ?2) ORDER BY started_at, id LIMIT ?3";

#undef TROUPE_RUN_COLUMNS

run_view run_view_of(const prepared& row) {
  run_view view;
  view.run = run_id{row.text(0)};
  view.workflow = row.text(1);
  view.workflow_hash = row.text(2);
  view.subject = row.text(3);
  view.state = run_state_in(row, 4);
  view.degraded = row.truth(5);
  view.steps = row.number(6);
  view.supersteps = row.number(7);
  view.state_hash = row.text(8);
  view.input_tokens = row.number(9);
  view.output_tokens = row.number(10);
  view.cost_microusd = row.number(11);
  view.started_at = row.time(12);
  view.finished_at = row.time_if(13);
  view.why = error_in(row, 14);
  view.failed_step = row.is_null(17) ? std::nullopt : std::optional{step_id{row.text(17)}};
  view.last_seq = event_seq{row.number(18)};
  view.abandoned = row.truth(19);
  view.parent = row.is_null(20) ? std::nullopt : std::optional{run_id{row.text(20)}};
  view.parent_task = row.is_null(21) ? std::nullopt : std::optional{task_id{row.text(21)}};
  view.forked_at = row.is_null(22) ? std::nullopt : std::optional{superstep_no{row.number(22)}};
  view.children = row.number(23);
  view.unpriced = row.number(24);
  view.attempt_time = std::chrono::microseconds{row.number(25)};
  return view;
}

template <class Place>
std::vector<run_view> run_views(statement_cache& sql, const char* query, const run_filter& filter, const Place& place) {
  auto row = sql.use(query,
                     filter.state ? std::optional{to_string(*filter.state)} : std::nullopt,
                     filter.subject,
                     filter.limit,
                     place);
  std::vector<run_view> views;
  while (row.step()) {
    views.push_back(run_view_of(row));
  }
  return views;
}

// The columns of a task, its latest attempt, and what its attempts have in common; what follows the last line differs.
#define TROUPE_TASK_COLUMNS                                                                                 \
  "SELECT t.task_id, t.run_id, t.superstep, t.step_id, t.agent_name, t.ordinal, t.state, t.attempt, a.pid," \
  " a.pid_start_time, a.exit_code, a.signal, a.started_at, t.finished_at, t.error_code, t.error_message,"   \
  " t.error_hint, t.value, t.deltas, o.stdout_printed, o.stderr_printed, a.http_status, a.session,"         \
  " (SELECT due_at FROM timers WHERE task_id = t.task_id AND state = 'waiting'),"                           \
  " (SELECT count(*) FROM attempts WHERE task_id = t.task_id AND state = 'failed'),"                        \
  " (SELECT count(*) FROM attempts WHERE task_id = t.task_id AND error_class = 'degraded'),"                \
  " (SELECT min(started_at) FROM attempts WHERE task_id = t.task_id), t.item, t.order_key, t.route,"        \
  " a.request_hash FROM tasks AS t"                                                                         \
  " LEFT JOIN attempts AS a ON a.task_id = t.task_id AND a.attempt = t.attempt"                             \
  " LEFT JOIN attempt_output AS o ON o.task_id = t.task_id AND o.attempt = t.attempt"

constexpr const char* tasks_of_run = TROUPE_TASK_COLUMNS " WHERE t.run_id = ? ORDER BY t.superstep, t.ordinal";
constexpr const char* tasks_of_superstep =
    TROUPE_TASK_COLUMNS " WHERE t.run_id = ? AND t.superstep = ? ORDER BY t.ordinal";
constexpr const char* tasks_left_over =
    TROUPE_TASK_COLUMNS " WHERE a.finished_at IS NULL AND a.pid > 0 ORDER BY a.started_at";

#undef TROUPE_TASK_COLUMNS

std::optional<int> small_number(const prepared& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional{static_cast<int>(row.number(column))};
}

task_view task_view_of(const prepared& row) {
  task_view view;
  view.task = task_id{row.text(0)};
  view.run = run_id{row.text(1)};
  view.superstep = superstep_no{row.number(2)};
  view.step = step_id{row.text(3)};
  view.agent = agent_name{row.text(4)};
  view.order = row.number(5);
  view.state = task_state_in(row, 6);
  view.attempt = attempt_no{row.number(7)};
  view.pid = row.number(8);
  view.pid_start_time = row.number(9);
  view.exit_code = small_number(row, 10);
  view.signal = small_number(row, 11);
  view.started_at = row.time_if(12);
  view.finished_at = row.time_if(13);
  view.why = error_in(row, 14);
  view.value = row.is_null(17) ? std::nullopt : std::optional{json_text{row.text(17)}};
  view.deltas = row.is_null(18) ? std::vector<field_delta>{} : deltas_in(row.text(18));
  view.standard_output_bytes = row.number(19);
  view.standard_error_bytes = row.number(20);
  view.http_status = small_number(row, 21);
  view.session = row.text(22);
  view.retry_at = row.time_if(23);
  view.failures = row.number(24);
  view.degraded_tries = row.number(25);
  view.first_started = row.time_if(26);
  view.item = row.number_if(27);
  view.order_key = row.is_null(28) ? 0 : std::bit_cast<std::uint64_t>(row.number(28));
  view.route = row.is_null(29) ? std::nullopt : std::optional{route_in(row.text(29))};
  view.request_hash = row.text(30);
  return view;
}

template <class... Values>
std::vector<task_view> task_views(statement_cache& sql, const char* query, const Values&... values) {
  auto row = sql.use(query, values...);
  std::vector<task_view> views;
  while (row.step()) {
    views.push_back(task_view_of(row));
  }
  return views;
}

// Levenshtein's distance, two rows at a time.
std::size_t distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> above(right.size() + 1);
  for (std::size_t j = 0; j < above.size(); ++j) {
    above[j] = j;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = above[0];
    above[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = above[j + 1];
      above[j + 1] = std::min({replaced, above[j] + 1, above[j + 1] + 1});
    }
  }
  return above.back();
}

}  // namespace

std::vector<field_delta> deltas_in(const std::string& text) {
  std::vector<field_delta> deltas;
  const auto pairs = split_array(text);
  if (!pairs) {
    throw damaged_row{"a task's deltas are not a list"};
  }
  for (const auto pair : *pairs) {
    const auto parts = split_array(pair);
    const auto field = parts && parts->size() == 2 ? decode_string(parts->front()) : std::nullopt;
    if (!field) {
      throw damaged_row{"a task's deltas are not pairs of field and value"};
    }
    deltas.push_back({field_name{*field}, json_text{std::string{parts->back()}}});
  }
  return deltas;
}

std::vector<step_id> route_in(const std::string& text) {
  const auto names = split_array(text);
  if (!names) {
    throw damaged_row{"a task's route is not a list"};
  }
  std::vector<step_id> route;
  for (const auto quoted : *names) {
    auto name = decode_string(quoted);
    if (!name) {
      throw damaged_row{"a task's route does not name steps"};
    }
    route.emplace_back(*std::move(name));
  }
  return route;
}

std::optional<run_view> find_run_row(statement_cache& sql, const run_id& run) {
  auto row = sql.use(run_by_id, run);
  if (!row.step()) {
    return std::nullopt;
  }
  auto view = run_view_of(row);
  view.inputs = json_text{row.text(26)};
  return view;
}

std::vector<run_view> list_run_rows(statement_cache& sql, const run_filter& filter) {
  return filter.child_of ? run_views(sql, runs_of_parent, filter, *filter.child_of)
                         : run_views(sql, runs_newest_first, filter, filter.scope == run_scope::roots);
}

std::vector<task_view> list_task_rows(statement_cache& sql, const run_id& run, std::optional<superstep_no> superstep) {
  return superstep ? task_views(sql, tasks_of_superstep, run, *superstep) : task_views(sql, tasks_of_run, run);
}

std::vector<task_view> list_leftover_rows(statement_cache& sql) { return task_views(sql, tasks_left_over); }

bool show_attempt(statement_cache& sql, task_view& task, attempt_no attempt) {
  auto row = sql.use(
      "SELECT a.pid, a.pid_start_time, a.exit_code, a.signal, a.started_at, a.finished_at, a.error_code,"
      " a.error_message, a.error_hint, o.stdout_printed, o.stderr_printed FROM attempts AS a"
      " LEFT JOIN attempt_output AS o USING (task_id, attempt) WHERE a.task_id = ? AND a.attempt = ?",
      task.task,
      attempt);
  if (!row.step()) {
    return false;
  }
  task.attempt = attempt;
  task.pid = row.number(0);
  task.pid_start_time = row.number(1);
  task.exit_code = small_number(row, 2);
  task.signal = small_number(row, 3);
  task.started_at = row.time_if(4);
  task.finished_at = row.time_if(5);
  task.why = error_in(row, 6);
  task.standard_output_bytes = row.number(9);
  task.standard_error_bytes = row.number(10);
  return true;
}

std::vector<run_id> nearest_runs(statement_cache& sql, const run_id& run) {
  constexpr std::size_t shown = 3;
  std::vector<std::pair<std::size_t, std::string>> candidates;
  auto row = sql.use("SELECT run_id FROM runs ORDER BY started_at DESC, id DESC LIMIT 1000");
  while (row.step()) {
    auto id = row.text(0);
    const bool begins = !run.empty() && id.starts_with(run.str());
    const auto away = begins ? 0 : distance(run.str(), id);
    if (begins || away <= std::max<std::size_t>(2, run.str().size() / 3)) {
      candidates.emplace_back(away, std::move(id));
    }
  }
  std::ranges::stable_sort(candidates, {}, &std::pair<std::size_t, std::string>::first);
  std::vector<run_id> nearest;
  for (auto& [away, id] : candidates) {
    if (nearest.size() < shown) {
      nearest.emplace_back(std::move(id));
    }
  }
  return nearest;
}

}  // namespace troupe
