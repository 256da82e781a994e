#include "storage/supersteps.hpp"

#include "messages/base/json_slices.hpp"
#include "messages/degraded.hpp"
#include "storage/consensus_rows.hpp"
#include "storage/event_data.hpp"
#include "storage/gates.hpp"
#include "storage/json_object.hpp"
#include "storage/runs.hpp"
#include "storage/standing.hpp"
#include "storage/tasks.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::int64_t change_bytes_min = 1'024;

error damaged_state(const run_id& run, std::int64_t superstep) {
  return {error_code::storage_corrupt,
          "the state of run " + run.str() + " cannot be put together at superstep " + std::to_string(superstep),
          "`troupe db check` tells more"};
}

struct difference {
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  json_text text;  // an object of the fields that changed

  std::vector<std::string> names() const {
    std::vector<std::string> all = removed;
    all.insert(all.end(), changed.begin(), changed.end());
    std::ranges::sort(all);
    return all;
  }
};

difference difference_of(const json_fields& before, const json_fields& after) {
  difference found;
  const auto changes = before.changes_to(after);
  for (const auto& [name, value] : changes) {
    (value ? found.changed : found.removed).push_back(name);
  }
  found.text = json_fields{}.with(changes).text();
  return found;
}

std::int64_t bytes_since_copy(run_change& change) {
  auto found = change.sql().use(
      "SELECT changed_bytes FROM supersteps WHERE run_id = ? AND superstep = ?", change.run(), change.row().committed);
  return found.step() ? found.number(0) : 0;
}

status save_state(run_change& change, const commit_superstep& told, std::vector<std::string>& changed) {
  const auto before = load_state(change.sql(), change.run(), change.row().committed);
  if (!before) {
    return before.error();
  }
  const auto after = json_fields::from(told.state);
  if (!after) {
    return illegal("the state of superstep " + std::to_string(told.superstep.value()) + " is not a JSON object");
  }
  const auto difference = difference_of(*before, *after);
  changed = difference.names();
  const auto removed =
      difference.removed.empty() ? std::nullopt : std::optional{json_array(difference.removed, json_string)};
  const auto bytes =
      bytes_since_copy(change) + std::max(change_bytes_min, static_cast<std::int64_t>(difference.text.str().size()));
  const bool copy = bytes >= static_cast<std::int64_t>(told.state.str().size());
  change.sql().run(
      "UPDATE supersteps SET deltas = ?3, changes = ?4, removed = ?5, state = ?6, changed_bytes = ?7,"
      " state_hash = ?8, idempotency_key = ?9, committed_at = ?10 WHERE run_id = ?1 AND superstep = ?2",
      told.run,
      told.superstep,
      told.deltas,
      copy ? nullptr : &difference.text,
      copy ? std::nullopt : removed,
      copy ? &told.state : nullptr,
      copy ? std::int64_t{0} : bytes,
      told.state_hash,
      told.idempotency_key,
      told.at);
  return done;
}

status check_order(run_change& change, const commit_superstep& told) {
  if (told.superstep != change.open_superstep()) {
    return illegal("superstep " + std::to_string(told.superstep.value()) + " of run " + told.run.str() +
                   " is not the open one, " + std::to_string(change.open_superstep().value()));
  }
  const bool goes_on = !told.next.steps.empty() || !told.next_front.empty() || !told.gates.empty();
  if (told.end && goes_on) {
    return illegal("superstep " + std::to_string(told.superstep.value()) + " of run " + told.run.str() +
                   " must have either a next front or an end");
  }
  auto opened =
      change.sql().use("SELECT 1 FROM supersteps WHERE run_id = ? AND superstep = ?", told.run, told.superstep);
  if (!opened.step()) {
    return illegal("superstep " + std::to_string(told.superstep.value()) + " of run " + told.run.str() +
                   " was never opened");
  }
  return done;
}

/// What the end of a failed run does not let begin is cancelled. Anything else has to be final already.
status close_tasks(run_change& change, const commit_superstep& told) {
  for (const auto& task : told.given_up) {
    if (auto closed = give_up(change, task); !closed) {
      return closed;
    }
  }
  auto open = open_tasks(change);
  const bool cancels = told.end && told.end->state == run_state::failed && told.end->why;
  const auto in_the_way =
      std::ranges::find_if(open, [&](const task_row& task) { return !cancels || !waits(task.state); });
  if (in_the_way != open.end()) {
    return illegal("superstep " + std::to_string(told.superstep.value()) + " of run " + told.run.str() +
                   " has a task that is not final: " + in_the_way->names.task.str());
  }
  if (cancels) {
    cancel_tasks(change, std::move(open), *told.end->why);
  }
  return done;
}

}  // namespace

bool stacked_state::add(const prepared& row, int first) {
  bool is_good = false;
  if (!row.is_null(first)) {
    since_.clear();
    copy_ = json_fields::from(json_text{row.text(first)});
    is_good = copy_.has_value();
  } else {
    is_good = copy_ && add_changes(row.text(first + 1), row.is_null(first + 2) ? "[]" : row.text(first + 2));
  }
  if (!is_good) {
    copy_.reset();
  }
  return is_good;
}

bool stacked_state::add_changes(std::string_view changes, std::string_view removed) {
  const auto members = split_object(changes);
  const auto names = split_array(removed);
  if (!members || !names) {
    return false;
  }
  for (const auto& [name, value] : *members) {
    since_.insert_or_assign(name, std::string{value});
  }
  for (const auto& quoted : *names) {
    const auto name = decode_string(quoted);
    if (!name) {
      return false;
    }
    since_.insert_or_assign(*name, std::nullopt);
  }
  return true;
}

const json_fields& stacked_state::fields() {
  if (!since_.empty()) {
    copy_ = copy_->with({since_.begin(), since_.end()});
    since_.clear();
  }
  return *copy_;
}

result<json_fields> load_state(statement_cache& sql, const run_id& run, superstep_no superstep) {
  auto row = sql.use(
      "SELECT superstep, state, changes, removed FROM supersteps WHERE run_id = ?1 AND superstep <= ?2"
      " AND superstep >= (SELECT superstep FROM supersteps WHERE run_id = ?1 AND superstep <= ?2 AND state IS NOT NULL"
      " ORDER BY superstep DESC LIMIT 1) AND committed_at IS NOT NULL ORDER BY superstep",
      run,
      superstep);
  stacked_state state;
  std::int64_t reached = -1;
  while (row.step()) {
    if ((reached >= 0 && row.number(0) != reached + 1) || !state.add(row, 1)) {
      return damaged_state(run, row.number(0));
    }
    reached = row.number(0);
  }
  if (reached != superstep.value()) {
    return error{error_code::not_found,
                 "run " + run.str() + " has no committed superstep " + std::to_string(superstep.value()),
                 ""};
  }
  return state.fields();
}

status save_initial_state(run_change& change, const create_run& told) {
  if (!json_fields::from(told.initial_state)) {
    return illegal("the initial state of run " + told.run.str() + " is not a JSON object");
  }
  change.sql().run(
      "INSERT INTO supersteps (run_id, superstep, front, state, state_hash, opened_at, committed_at)"
      " VALUES (?1, ?5, '[]', ?2, ?3, ?4, ?4)",
      told.run,
      told.initial_state.str(),
      told.state_hash,
      told.at,
      told.forked_at.value_or(superstep_no{}));
  return done;
}

status open_superstep(run_change& change,
                      const superstep_standing& standing,
                      const std::vector<planned_task>& front,
                      const std::vector<gate_opening>& gates) {
  const auto superstep = change.open_superstep();
  const auto text = json_array(front, [](const planned_task& task) {
    return '[' + json_string(task.step.str()) + ',' + json_string(task.agent.str()) + ']';
  });
  change.sql().run("INSERT INTO supersteps (run_id, superstep, front, standing, opened_at) VALUES (?, ?, ?, ?, ?)",
                   change.run(),
                   superstep,
                   text,
                   standing_text(standing),
                   change.at());
  if (auto queued = queue_front(change, superstep, front); !queued) {
    return queued;
  }
  for (const auto& asked : gates) {
    if (auto opened = open(change, asked); !opened) {
      return opened;
    }
  }
  return done;
}

status commit(run_change& change, const commit_superstep& told) {
  if (auto fits = check_order(change, told); !fits) {
    return fits;
  }
  for (const auto& place : told.taken) {
    if (auto taken = take(change, place); !taken) {
      return taken;
    }
  }
  close_crash_gates(change);
  if (auto closed = close_tasks(change, told); !closed) {
    return closed;
  }
  for (const auto& verdict : told.verdicts) {
    save_verdict(change, told.superstep, verdict);
  }
  std::vector<std::string> changed;
  if (auto saved = save_state(change, told, changed); !saved) {
    return saved;
  }
  if (std::ranges::any_of(told.verdicts, leaves_somebody_out)) {
    change.sql().run("UPDATE runs SET degraded = 1 WHERE run_id = ?", change.run());
  }
  change.row().committed = told.superstep;
  change.row().state_hash = told.state_hash;
  change.tell(event_kind::superstep_committed, told.superstep, superstep_committed_data(told, changed));
  if (told.end) {
    return end(change, *told.end);
  }
  if (told.next.steps.empty() && told.next_front.empty() && told.gates.empty() && !has_live_gates(change)) {
    return illegal("superstep " + std::to_string(told.superstep.value()) + " of run " + told.run.str() +
                   " leads to nothing, and does not end the run");
  }
  return open_superstep(change, told.next, told.next_front, told.gates);
}

}  // namespace troupe
