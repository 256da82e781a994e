#include "storage/journal.hpp"

#include "storage/gates.hpp"
#include "storage/outputs.hpp"
#include "storage/run_rows.hpp"
#include "storage/standing.hpp"
#include "storage/stored_names.hpp"
#include "storage/supersteps.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t state_bytes_max = std::size_t{8} << 20U;

void tell_damage(recorded_superstep& of, const damaged_row& found) { of.damage.push_back(damaged(found)); }

// The state goes along from row to row, as long as the rows add up.
class rolling_state {
 public:
  /// Before the first row of a page.
  rolling_state(statement_cache& sql, const run_id& run, superstep_no from) : reached_(from.value() - 1) {
    if (from.value() > 0) {
      if (auto before = load_state(sql, run, superstep_no{reached_})) {
        state_ = stacked_state{*std::move(before)};
      }
    }
  }

  /// The state after the row, whose columns from `first` on are state, changes, removed.
  std::optional<json_text> after(const prepared& row, std::int64_t superstep, int first) {
    if (superstep != reached_ + 1) {
      state_ = stacked_state{};
    }
    reached_ = superstep;
    return state_.add(row, first) ? std::optional{state_.fields().text()} : std::nullopt;
  }

 private:
  stacked_state state_;
  std::int64_t reached_;
};

void read_state(recorded_superstep& into, rolling_state& state, const prepared& row) {
  if (!into.committed_at) {
    return;
  }
  into.is_copy = !row.is_null(1);
  into.state = state.after(row, into.row.superstep.value(), 1);
  if (!into.state) {
    into.damage.push_back({error_code::storage_corrupt,
                           into.is_copy ? "its state is no JSON object" : "its state cannot be put together",
                           "`troupe db check` tells more"});
  }
}

void read_standing(recorded_superstep& into, const prepared& row) {
  into.has_standing = !row.is_null(5);
  if (!into.has_standing) {
    return;
  }
  if (auto standing = standing_from(row.text(5))) {
    into.row.standing = *std::move(standing);
  } else {
    into.damage.push_back({error_code::storage_corrupt, "its standing cannot be read", "`troupe db check` tells more"});
  }
}

std::vector<recorded_superstep> superstep_rows(statement_cache& sql,
                                               const run_id& run,
                                               superstep_no from,
                                               std::int64_t limit) {
  std::vector<recorded_superstep> found;
  rolling_state state{sql, run, from};
  std::size_t bytes = 0;
  auto row = sql.use(
      "SELECT superstep, state, changes, removed, front, standing, deltas, state_hash, idempotency_key, committed_at"
      " FROM supersteps WHERE run_id = ? AND superstep >= ? ORDER BY superstep LIMIT ?",
      run,
      from,
      limit);
  while (bytes < state_bytes_max && row.step()) {
    auto& read = found.emplace_back();
    read.row.superstep = superstep_no{row.number(0)};
    read.committed_at = row.time_if(9);
    read.front = row.text(4);
    read.row.deltas = json_text{row.is_null(6) ? std::string{"[]"} : row.text(6)};
    read.row.state_hash = row.text(7);
    read.row.idempotency_key = row.text(8);
    read_standing(read, row);
    read_state(read, state, row);
    bytes += read.state ? read.state->str().size() : 0;
  }
  return found;
}

// Rows of tasks and attempts come in the order of their supersteps: each finds its own by going on.
class by_superstep {
 public:
  explicit by_superstep(std::vector<recorded_superstep>& all) : at_(all.begin()), end_(all.end()) {}

  /// Null: the superstep has no row.
  recorded_superstep* find(std::int64_t superstep) {
    while (at_ != end_ && at_->row.superstep.value() < superstep) {
      ++at_;
    }
    return at_ != end_ && at_->row.superstep.value() == superstep ? &*at_ : nullptr;
  }

 private:
  std::vector<recorded_superstep>::iterator at_;
  std::vector<recorded_superstep>::iterator end_;
};

// What a task came to, as far as replay needs it; the names first, so that a damaged row has some.
void read_task(task_view& view, const prepared& row, const run_id& run) {
  view.task = task_id{row.text(0)};
  view.run = run;
  view.superstep = superstep_no{row.number(1)};
  view.step = step_id{row.text(2)};
  view.agent = agent_name{row.text(3)};
  view.order = row.number(4);
  view.attempt = attempt_no{row.number(6)};
  view.item = row.number_if(14);
  view.order_key = row.is_null(15) ? 0 : std::bit_cast<std::uint64_t>(row.number(15));
  view.finished_at = row.time_if(7);
  view.value = row.is_null(11) ? std::nullopt : std::optional{json_text{row.text(11)}};
  view.state = task_state_in(row, 5);
  view.why = error_in(row, 8);
  view.deltas = row.is_null(12) ? std::vector<field_delta>{} : deltas_in(row.text(12));
  view.route = row.is_null(13) ? std::nullopt : std::optional{route_in(row.text(13))};
}

void add_tasks(statement_cache& sql, const run_id& run, std::vector<recorded_superstep>& all) {
  auto row = sql.use(
      "SELECT task_id, superstep, step_id, agent_name, ordinal, state, attempt, finished_at, error_code, error_message,"
      " error_hint, value, deltas, route, item, order_key FROM tasks WHERE run_id = ? AND superstep BETWEEN ? AND ?"
      " ORDER BY superstep, ordinal",
      run,
      all.front().row.superstep,
      all.back().row.superstep);
  by_superstep supersteps{all};
  while (row.step()) {
    auto* into = supersteps.find(row.number(1));
    if (into == nullptr) {
      continue;
    }
    auto& view = into->row.tasks.emplace_back();
    try {
      read_task(view, row, run);
    } catch (const damaged_row& found) {
      tell_damage(*into, damaged_row{"task " + view.task.str() + ": " + found.what()});
    }
  }
}

void read_attempt(recorded_attempt& into, const prepared& row) {
  const auto small = [&](int column) {
    return row.is_null(column) ? std::nullopt : std::optional{static_cast<int>(row.number(column))};
  };
  into.task = task_id{row.text(1)};
  into.attempt = attempt_no{row.number(2)};
  into.request_hash = row.text(7);
  into.exit_code = small(8);
  into.signal = small(9);
  into.http_status = small(10);
  into.has_output = !row.is_null(11);
  into.standard_output = row.text(12);
  into.standard_error = row.text(13);
  into.state = task_state_in(row, 3);
  into.why = error_in(row, 4);
  into.files = {blob_in(row, 14, 15), blob_in(row, 16, 17)};
}

void add_attempts(statement_cache& sql, const run_id& run, std::vector<recorded_superstep>& all) {
  auto row = sql.use(
      "SELECT t.superstep, a.task_id, a.attempt, a.state, a.error_code, a.error_message, a.error_hint, a.request_hash,"
      " a.exit_code, a.signal, a.http_status, o.stdout_kept, o.stdout, o.stderr, o.stdout_hash, o.stdout_kept,"
      " o.stderr_hash, o.stderr_kept FROM tasks AS t CROSS JOIN attempts AS a ON a.task_id = t.task_id"
      " LEFT JOIN attempt_output AS o ON o.task_id = a.task_id AND o.attempt = a.attempt"
      " WHERE t.run_id = ? AND t.superstep BETWEEN ? AND ? ORDER BY t.superstep, t.ordinal, a.attempt",
      run,
      all.front().row.superstep,
      all.back().row.superstep);
  by_superstep supersteps{all};
  while (row.step()) {
    auto* into = supersteps.find(row.number(0));
    if (into == nullptr) {
      continue;
    }
    auto& attempt = into->attempts.emplace_back();
    try {
      read_attempt(attempt, row);
    } catch (const damaged_row& found) {
      tell_damage(*into,
                  damaged_row{"attempt " + std::to_string(attempt.attempt.value()) + " of task " + attempt.task.str() +
                              ": " + found.what()});
    }
  }
}

void add_gates(statement_cache& sql, const run_id& run, std::vector<recorded_superstep>& all) {
  const auto find = [&](superstep_no superstep) -> recorded_superstep* {
    const auto found =
        std::ranges::lower_bound(all, superstep, {}, [](const recorded_superstep& each) { return each.row.superstep; });
    return found != all.end() && found->row.superstep == superstep ? &*found : nullptr;
  };
  try {
    for (auto& gate : list_gates(sql, run)) {
      if (gate.asked.kind != gate_kind::step) {
        continue;
      }
      if (auto* opened = find(gate.asked.place.superstep)) {
        opened->opened.push_back(gate);
      }
      if (auto* taken = gate.taken_at ? find(*gate.taken_at) : nullptr) {
        taken->row.taken.push_back(std::move(gate));
      }
    }
  } catch (const damaged_row& found) {
    tell_damage(all.front(), found);
  }
}

}  // namespace

std::optional<pinned_run> find_pinned_run(statement_cache& sql, const run_id& run) {
  auto view = find_run_row(sql, run);
  if (!view) {
    return std::nullopt;
  }
  pinned_run pinned;
  pinned.run = *std::move(view);
  auto row = sql.use(
      "SELECT w.source, c.source, c.hash FROM runs AS r JOIN workflows AS w ON w.hash = r.workflow_hash"
      " JOIN configs AS c ON c.hash = r.config_hash WHERE r.run_id = ?",
      run);
  if (!row.step()) {
    throw damaged_row{"run " + run.str() + " has no workflow or no configuration"};
  }
  pinned.workflow_source = row.text(0);
  pinned.config_source = row.text(1);
  pinned.config_hash = row.text(2);
  return pinned;
}

std::vector<recorded_superstep> list_journal(statement_cache& sql,
                                             const run_id& run,
                                             superstep_no from,
                                             std::int64_t limit) {
  auto all = superstep_rows(sql, run, from, limit);
  if (all.empty()) {
    return all;
  }
  add_tasks(sql, run, all);
  add_attempts(sql, run, all);
  add_gates(sql, run, all);
  for (auto& each : all) {
    if (!each.has_standing) {
      each.row.standing = standing_of(each.row.tasks);
    }
  }
  return all;
}

}  // namespace troupe
