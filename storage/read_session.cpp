#include "storage/read_session.hpp"

#include "storage/blobs.hpp"
#include "storage/budgets.hpp"
#include "storage/consensus_rows.hpp"
#include "storage/costs.hpp"
#include "storage/database.hpp"
#include "storage/disk_space.hpp"
#include "storage/gates.hpp"
#include "storage/journal.hpp"
#include "storage/lease.hpp"
#include "storage/maintenance.hpp"
#include "storage/outputs.hpp"
#include "storage/provider_use.hpp"
#include "storage/run_rows.hpp"
#include "storage/sqlite_error.hpp"
#include "storage/standing.hpp"
#include "storage/statements.hpp"
#include "storage/stored_names.hpp"
#include "storage/supersteps.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

namespace troupe {
namespace {

error unknown_run(statement_cache& sql, const run_id& run) {
  std::string hint;
  for (const auto& near : nearest_runs(sql, run)) {
    hint += hint.empty() ? "did you mean " : ", ";
    hint += near.str();
  }
  if (hint.empty()) {
    hint = "`troupe runs` lists them";
  }
  return {error_code::not_found, "there is no run " + run.str(), std::move(hint)};
}

status must_exist(statement_cache& sql, const run_id& run) {
  auto found = sql.use("SELECT 1 FROM runs WHERE run_id = ?", run);
  if (found.step()) {
    return done;
  }
  return unknown_run(sql, run);
}

result<run_view> whole_run(statement_cache& sql, const run_id& run) {
  auto view = find_run_row(sql, run);
  if (!view) {
    return unknown_run(sql, run);
  }
  auto state = load_state(sql, run, superstep_no{view->supersteps});
  if (!state) {
    return state.error();
  }
  view->result = state->text();
  return *std::move(view);
}

event event_of(const prepared& row, const run_id& run) {
  event read;
  read.run = run;
  read.seq = event_seq{row.number(0)};
  read.time = row.time(1);
  read.kind = event_kind_in(row, 2);
  if (!row.is_null(3)) {
    read.step = step_id{row.text(3)};
  }
  if (!row.is_null(4)) {
    read.superstep = superstep_no{row.number(4)};
  }
  if (!row.is_null(5)) {
    read.task = task_id{row.text(5)};
  }
  if (!row.is_null(6)) {
    read.attempt = attempt_no{row.number(6)};
  }
  if (!row.is_null(7)) {
    read.agent = agent_name{row.text(7)};
  }
  read.data = json_text{row.text(8)};
  return read;
}

result<event_batch> events_since(statement_cache& sql, const run_id& run, event_seq since, std::int64_t limit) {
  if (auto known = must_exist(sql, run); !known) {
    return known.error();
  }
  auto row = sql.use(
      "SELECT seq, time, kind, step_id, superstep, task_id, attempt, agent_name, data FROM events"
      " WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
      run,
      since,
      limit);
  event_batch events;
  while (row.step()) {
    events.push_back(event_of(row, run));
  }
  return events;
}

std::optional<superstep_no> newest_superstep_with(statement_cache& sql, const run_id& run, const step_id& step) {
  auto row = sql.use("SELECT max(superstep) FROM tasks WHERE run_id = ? AND step_id = ?", run, step);
  return row.step() && !row.is_null(0) ? std::optional{superstep_no{row.number(0)}} : std::nullopt;
}

error no_such_step(statement_cache& sql, const run_id& run, const step_id& step) {
  auto row = sql.use("SELECT DISTINCT step_id FROM tasks WHERE run_id = ? ORDER BY superstep, ordinal", run);
  std::string steps;
  while (row.step()) {
    steps += steps.empty() ? "" : ", ";
    steps += row.text(0);
  }
  return {error_code::not_found,
          "run " + run.str() + " has no task of step " + step.str(),
          steps.empty() ? "" : "it has tasks of: " + steps};
}

error no_such_agent(const std::vector<task_view>& tasks,
                    const run_id& run,
                    const step_id& step,
                    const agent_name& agent) {
  std::string agents;
  for (const auto& task : tasks) {
    if (task.step == step) {
      agents += agents.empty() ? "" : ", ";
      agents += task.agent.str();
    }
  }
  return {error_code::not_found,
          "step " + step.str() + " of run " + run.str() + " has no task of agent " + agent.str(),
          "it has tasks of: " + agents};
}

// An output as its rows have it: the streams that are files are read when the transaction is over.
struct stored_output {
  output_view view;
  output_blobs blobs;
};

// False: there was no such attempt.
bool read_output(statement_cache& sql, stored_output& stored, const std::optional<attempt_no>& attempt) {
  auto& view = stored.view;
  if (attempt && *attempt != view.task.attempt && !show_attempt(sql, view.task, *attempt)) {
    return false;
  }
  auto row = sql.use(
      "SELECT stdout, stderr, stdout_hash, stdout_kept, stderr_hash, stderr_kept FROM attempt_output"
      " WHERE task_id = ? AND attempt = ?",
      view.task.task,
      view.task.attempt);
  if (row.step()) {
    view.standard_output = row.text(0);
    view.standard_error = row.text(1);
    stored.blobs = {blob_in(row, 2, 3), blob_in(row, 4, 5)};
  }
  return true;
}

result<std::vector<stored_output>> outputs_of(statement_cache& sql,
                                              const run_id& run,
                                              const step_id& step,
                                              const std::optional<agent_name>& agent,
                                              const std::optional<attempt_no>& attempt) {
  if (auto known = must_exist(sql, run); !known) {
    return known.error();
  }
  const auto superstep = newest_superstep_with(sql, run, step);
  if (!superstep) {
    return no_such_step(sql, run, step);
  }
  const auto tasks = list_task_rows(sql, run, superstep);
  bool agent_is_there = false;
  std::vector<stored_output> outputs;
  for (const auto& task : tasks) {
    if (task.step != step || (agent && task.agent != *agent)) {
      continue;
    }
    agent_is_there = true;
    stored_output stored{{task, {}, {}}, {}};
    if (read_output(sql, stored, attempt)) {
      outputs.push_back(std::move(stored));
    }
  }
  if (!agent_is_there) {
    return no_such_agent(tasks, run, step, agent.value_or(agent_name{}));
  }
  if (outputs.empty()) {
    return error{error_code::not_found,
                 "step " + step.str() + " of run " + run.str() + " has no attempt " +
                     std::to_string(attempt.value_or(attempt_no{}).value()),
                 ""};
  }
  return outputs;
}

status read_stream(const std::filesystem::path& folder, const std::optional<blob_ref>& blob, std::string& into) {
  if (!blob) {
    return done;
  }
  auto content = read_blob(folder, *blob);
  if (!content) {
    return content.error();
  }
  into = *std::move(content);
  return done;
}

result<std::vector<output_view>> read_files(std::vector<stored_output>&& outputs,
                                            const std::filesystem::path& database) {
  const auto folder = blob_folder_of(database);
  std::vector<output_view> views;
  views.reserve(outputs.size());
  for (auto& stored : outputs) {
    auto read = read_stream(folder, stored.blobs.standard_output, stored.view.standard_output);
    if (read) {
      read = read_stream(folder, stored.blobs.standard_error, stored.view.standard_error);
    }
    if (!read) {
      return read.error();
    }
    views.push_back(std::move(stored.view));
  }
  return views;
}

superstep_standing standing_in(const run_id& run, std::string_view text) {
  auto standing = standing_from(text);
  if (!standing) {
    throw damaged_row{"run " + run.str() + " has a superstep whose standing cannot be read"};
  }
  return *std::move(standing);
}

result<recovery_view> recovery_of(statement_cache& sql, const run_id& run) {
  auto whole = whole_run(sql, run);
  if (!whole) {
    return whole.error();
  }
  recovery_view view;
  view.superstep = superstep_no{whole->supersteps + 1};
  view.run = *std::move(whole);
  view.tasks = list_task_rows(sql, run, view.superstep);
  auto row = sql.use(
      "SELECT w.source, c.source, r.deadline,"
      " (SELECT due_at FROM timers WHERE run_id = r.run_id AND kind = 'quota' AND state = 'waiting'),"
      " r.budget_microusd, r.budget_tokens, r.budget_time_us, (SELECT standing FROM supersteps AS s WHERE s.run_id = "
      "r.run_id"
      " AND s.superstep = r.supersteps + 1) FROM runs AS r JOIN workflows AS w ON w.hash = r.workflow_hash"
      " JOIN configs AS c ON c.hash = r.config_hash WHERE r.run_id = ?",
      run);
  if (!row.step()) {
    throw damaged_row{"run " + run.str() + " has no workflow or no configuration"};
  }
  view.workflow_source = row.text(0);
  view.config_source = row.text(1);
  view.deadline = row.time_if(2);
  view.paused_until = row.time_if(3);
  view.budget = {row.number_if(4), row.number_if(5), row.length_if(6)};
  view.standing = row.is_null(7) ? standing_of(view.tasks) : standing_in(run, row.text(7));
  view.gates = list_live_gates(sql, run);
  view.over_budget = find_overrun(sql, {}, run);
  return view;
}

std::vector<run_id> unfinished(statement_cache& sql, run_scope scope) {
  auto row = sql.use(
      "SELECT run_id FROM runs AS r WHERE state IN ('pending', 'running', 'paused')"
      " AND (NOT ? OR parent_task_id IS NULL OR NOT EXISTS"
      " (SELECT 1 FROM runs AS p WHERE p.run_id = r.parent_run_id AND p.state IN ('pending', 'running', 'paused'))) "
      "ORDER BY started_at, id",
      scope == run_scope::roots);
  std::vector<run_id> runs;
  while (row.step()) {
    runs.emplace_back(row.text(0));
  }
  return runs;
}

}  // namespace

struct read_session::state {
  explicit state(database opened) : file(std::move(opened)), sql(file.connection()) {}

  void end_transaction() noexcept {
    auto* const connection = file.connection().getHandle();
    if (sqlite3_get_autocommit(connection) == 0) {
      static_cast<void>(sqlite3_exec(connection, "ROLLBACK", nullptr, nullptr, nullptr));
    }
  }

  // One transaction around `read`, so that what it puts together from several rows belongs together.
  template <class Read>
  auto in_transaction(Read read) -> std::invoke_result_t<Read, statement_cache&> {
    try {
      sql.run("BEGIN DEFERRED");
      auto answer = read(sql);
      end_transaction();
      return answer;
    } catch (const SQLite::Exception& thrown) {
      end_transaction();
      failed = failed || ends_session(thrown.getErrorCode());
      return sqlite_error(thrown, "cannot read the database", file.options().path);
    } catch (const damaged_row& found) {
      end_transaction();
      return damaged(found);
    } catch (...) {
      end_transaction();
      throw;
    }
  }

  // Renamed, deleted, or replaced by another file: what is read through this connection is nobody's truth any more.
  bool has_moved() noexcept {
    int moved = 0;
    const int code =
        sqlite3_file_control(file.connection().getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, static_cast<void*>(&moved));
    return code == SQLITE_OK && moved != 0;
  }

  // The rows of a run say `running` until somebody goes on with it; the lock tells whether anybody is there.
  bool is_abandoned(const run_view& run) const noexcept {
    return run.abandoned || (run.state == run_state::running && !is_lease_held(file.options().path));
  }

  database file;
  statement_cache sql;
  bool failed = false;
};

read_session::read_session(std::unique_ptr<state> opened) noexcept : state_(std::move(opened)) {}

read_session::~read_session() = default;

result<std::unique_ptr<read_session>> read_session::open(const storage_options& options) {
  auto opened = database::open_read_only(options);
  if (!opened) {
    return opened.error();
  }
  return std::unique_ptr<read_session>{new read_session{std::make_unique<state>(*std::move(opened))}};
}

result<run_view> read_session::find_run(const run_id& run) {
  auto found = state_->in_transaction([&](statement_cache& sql) { return whole_run(sql, run); });
  if (found) {
    found->abandoned = state_->is_abandoned(*found);
  }
  return found;
}

result<std::vector<run_view>> read_session::list_runs(const run_filter& filter) {
  auto found = state_->in_transaction(
      [&](statement_cache& sql) -> result<std::vector<run_view>> { return list_run_rows(sql, filter); });
  if (found) {
    for (auto& run : *found) {
      run.abandoned = state_->is_abandoned(run);
    }
  }
  return found;
}

result<std::vector<task_view>> read_session::list_tasks(const run_id& run) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<task_view>> {
    if (auto known = must_exist(sql, run); !known) {
      return known.error();
    }
    return list_task_rows(sql, run, std::nullopt);
  });
}

result<std::vector<verdict_view>> read_session::list_verdicts(const run_id& run) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<verdict_view>> {
    if (auto known = must_exist(sql, run); !known) {
      return known.error();
    }
    return list_verdict_rows(sql, run);
  });
}

result<event_batch> read_session::list_events(const run_id& run, event_seq since, std::int64_t limit) {
  return state_->in_transaction([&](statement_cache& sql) { return events_since(sql, run, since, limit); });
}

result<std::vector<output_view>> read_session::find_output(const run_id& run,
                                                           const step_id& step,
                                                           const std::optional<agent_name>& agent,
                                                           const std::optional<attempt_no>& attempt) {
  const auto read = [&]() -> result<std::vector<output_view>> {
    auto rows =
        state_->in_transaction([&](statement_cache& sql) { return outputs_of(sql, run, step, agent, attempt); });
    return rows ? read_files(*std::move(rows), state_->file.options().path) : rows.error();
  };
  auto outputs = read();
  // Between the rows and the file the run may have been removed, and its files with it. Rows go first: a second look
  // then says NOT_FOUND, and where it does not, the file is missing indeed.
  return outputs || outputs.error().code != error_code::storage_corrupt ? outputs : read();
}

result<recovery_view> read_session::load_recovery(const run_id& run) {
  auto found = state_->in_transaction([&](statement_cache& sql) { return recovery_of(sql, run); });
  if (found) {
    found->run.abandoned = state_->is_abandoned(found->run);
  }
  return found;
}

result<std::vector<gate_view>> read_session::list_gates(const run_id& run) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<gate_view>> {
    if (auto known = must_exist(sql, run); !known) {
      return known.error();
    }
    return troupe::list_gates(sql, run);
  });
}

result<std::vector<pending_view>> read_session::list_pending() {
  return state_->in_transaction(
      [](statement_cache& sql) -> result<std::vector<pending_view>> { return troupe::list_pending(sql); });
}

result<std::vector<run_id>> read_session::list_unfinished(run_scope scope) {
  return state_->in_transaction(
      [&](statement_cache& sql) -> result<std::vector<run_id>> { return unfinished(sql, scope); });
}

result<std::vector<run_id>> read_session::list_running(lease_epoch epoch) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<run_id>> {
    auto row = sql.use(
        "SELECT r.run_id FROM runs AS r WHERE r.state IN ('pending', 'running', 'paused') AND r.epoch = ?"
        " AND (r.state = 'running' OR (r.state = 'paused' AND EXISTS (SELECT 1 FROM timers AS t"
        " WHERE t.run_id = r.run_id AND t.kind = 'quota' AND t.state = 'waiting'))"
        " OR (r.state = 'paused' AND EXISTS (SELECT 1 FROM gates AS g WHERE g.run_id = r.run_id AND g.taken_at IS NULL"
        " AND g.state <> 'cancelled')) OR (r.state = 'paused' AND EXISTS (SELECT 1 FROM runs AS c"
        " WHERE c.parent_run_id = r.run_id AND c.parent_task_id IS NOT NULL"
        " AND c.state IN ('pending', 'running', 'paused')))) ORDER BY r.started_at, r.id",
        epoch);
    std::vector<run_id> runs;
    while (row.step()) {
      runs.emplace_back(row.text(0));
    }
    return runs;
  });
}

result<std::vector<task_view>> read_session::list_leftovers() {
  return state_->in_transaction(
      [](statement_cache& sql) -> result<std::vector<task_view>> { return list_leftover_rows(sql); });
}

result<json_text> read_session::find_state(const run_id& run, superstep_no superstep) {
  return state_->in_transaction([&](statement_cache& sql) -> result<json_text> {
    if (auto known = must_exist(sql, run); !known) {
      return known.error();
    }
    const auto fields = load_state(sql, run, superstep);
    return fields ? result<json_text>{fields->text()} : result<json_text>{fields.error()};
  });
}

result<pinned_run> read_session::find_pinned(const run_id& run) {
  auto found = state_->in_transaction([&](statement_cache& sql) -> result<pinned_run> {
    auto pinned = find_pinned_run(sql, run);
    return pinned ? result<pinned_run>{*std::move(pinned)} : result<pinned_run>{unknown_run(sql, run)};
  });
  if (found) {
    found->run.abandoned = state_->is_abandoned(found->run);
  }
  return found;
}

result<std::vector<recorded_superstep>> read_session::list_supersteps(const run_id& run,
                                                                      superstep_no from,
                                                                      std::int64_t limit) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<recorded_superstep>> {
    if (auto known = must_exist(sql, run); !known) {
      return known.error();
    }
    return list_journal(sql, run, from, limit);
  });
}

result<std::string> read_session::find_file(const blob_ref& file) {
  return read_blob(blob_folder_of(state_->file.options().path), file);
}

result<maintenance_view> read_session::find_maintenance() {
  return state_->in_transaction([&](statement_cache& sql) -> result<maintenance_view> {
    auto& file = state_->file;
    return maintenance_view{
        measure(file.connection()), free_bytes_in(file.options().path.parent_path()), read_history(sql)};
  });
}

provider_use_answer read_session::find_provider_use(const provider_use_query& question) {
  return state_->in_transaction([&](statement_cache& sql) -> provider_use_answer {
    std::vector<provider_use> uses;
    for (const auto& provider : question.providers) {
      uses.push_back(use_of(sql, provider, question.minute_from, question.day_from));
    }
    return uses;
  });
}

result<std::vector<cost_sum>> read_session::list_costs(const cost_filter& filter, cost_grouping by) {
  return state_->in_transaction([&](statement_cache& sql) -> result<std::vector<cost_sum>> {
    if (auto known = filter.run ? must_exist(sql, *filter.run) : done; !known) {
      return known.error();
    }
    return list_cost_sums(sql, filter, by);
  });
}

bool read_session::healthy() noexcept {
  if (state_->failed || state_->has_moved()) {
    return false;
  }
  auto* const connection = state_->file.connection().getHandle();
  return sqlite3_exec(connection, "SELECT count(*) FROM lease", nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace troupe
