#include "storage/runs.hpp"

#include "storage/budgets.hpp"
#include "storage/children.hpp"
#include "storage/event_data.hpp"
#include "storage/gates.hpp"
#include "storage/supersteps.hpp"
#include "storage/tasks.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

void keep_sources(statement_cache& sql, const create_run& told) {
  sql.run("INSERT INTO workflows (hash, name, source) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          told.workflow_hash,
          told.workflow_name,
          told.workflow_source);
  if (!told.config_hash.empty()) {
    sql.run("INSERT INTO configs (hash, source) VALUES (?, ?) ON CONFLICT DO NOTHING",
            told.config_hash,
            told.config_source);
  }
}

std::optional<timestamp> deadline_of(const create_run& told) {
  const auto own = told.wall_clock ? std::optional{told.at + *told.wall_clock} : std::nullopt;
  return own && told.deadline_max ? std::min(*own, *told.deadline_max) : (own ? own : told.deadline_max);
}

std::optional<event_kind> kind_of_end(run_state state) {
  switch (state) {
    case run_state::paused:
      return event_kind::run_paused;
    case run_state::completed:
      return event_kind::run_completed;
    case run_state::failed:
      return event_kind::run_failed;
    case run_state::cancelled:
      return event_kind::run_cancelled;
    case run_state::pending:
    case run_state::running:
      return std::nullopt;
  }
  return std::nullopt;
}

void end_quota_timer(run_change& change, std::string_view how) {
  change.sql().run(
      "UPDATE timers SET state = ?2, ended_at = ?3 WHERE run_id = ?1 AND kind = 'quota' AND state = 'waiting'",
      change.run(),
      how,
      change.at());
}

// A sender that knows more of the run than its rows say has read something that was never committed.
status must_know_the_past(run_change& change, event_seq from) {
  if (from > change.row().last) {
    return illegal("run " + change.run().str() + " has " + std::to_string(change.row().last.value()) +
                   " events, the sender knows of " + std::to_string(from.value()));
  }
  return done;
}

}  // namespace

result<run_change> create(statement_cache& sql, known_rows& known, lease_epoch epoch, const create_run& told) {
  if (told.run.empty() || (told.standing.steps.empty() && told.front.empty() && told.gates.empty())) {
    return illegal("a run needs an id and a first front");
  }
  keep_sources(sql, told);
  const auto made = sql.run(
      "INSERT INTO runs (run_id, workflow, workflow_hash, config_hash, subject, state, epoch, inputs, state_hash,"
      " deadline, started_at, parent_run_id, parent_task_id, forked_at, supersteps, budget_microusd, budget_tokens,"
      " budget_time_us) VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      told.run,
      told.workflow_name,
      told.workflow_hash,
      pinned_config_of(sql, told),
      told.subject,
      epoch,
      told.inputs,
      told.state_hash,
      deadline_of(told),
      told.at,
      told.parent,
      told.parent_task,
      told.forked_at,
      told.forked_at.value_or(superstep_no{}),
      told.budget.microusd,
      told.budget.tokens,
      limit_of(told.budget, budget_unit::microseconds));
  if (made == 0) {
    return error{error_code::duplicate_id,
                 "there is a run " + told.run.str() + " already; nothing was written",
                 "choose another id with --run-id, or leave it out"};
  }
  run_row row;
  row.state = run_state::running;
  row.state_hash = told.state_hash;
  row.committed = told.forked_at.value_or(superstep_no{});
  row.budget = told.budget;
  row.child_of = told.parent && told.parent_task ? *told.parent : run_id{};
  run_change change{sql, known, epoch, told.run, told.at, std::move(row)};
  if (auto saved = save_initial_state(change, told); !saved) {
    return saved.error();
  }
  change.tell(event_kind::run_started, run_started_data(told));
  if (auto opened = open_superstep(change, told.standing, told.front, told.gates); !opened) {
    return opened.error();
  }
  return change;
}

status end(run_change& change, const run_end& end) {
  const auto kind = kind_of_end(end.state);
  if (!kind) {
    return illegal("run " + change.run().str() + " cannot end as " + std::string{to_string(end.state)});
  }
  if (auto moved = change.move_to(end.state); !moved) {
    return moved;
  }
  if (is_final(end.state)) {
    cancel_gates(change);
    release_reservations(change);
    if (auto ended = end_children(change); !ended) {
      return ended;
    }
  }
  change.sql().run(
      "UPDATE runs SET degraded = degraded OR ?2, error_code = ?3, error_message = ?4, error_hint = ?5, failed_step = "
      "?6"
      " WHERE run_id = ?1",
      change.run(),
      end.degraded,
      end.why ? std::optional{to_string(end.why->code)} : std::nullopt,
      end.why ? std::optional{end.why->message} : std::nullopt,
      end.why && !end.why->hint.empty() ? std::optional{end.why->hint} : std::nullopt,
      end.failed_step);
  if (end.until) {
    change.sql().run(
        "INSERT INTO timers (run_id, kind, due_at, reason, state, set_at) VALUES (?, 'quota', ?, ?, 'waiting', ?)",
        change.run(),
        *end.until,
        end.why ? std::optional{to_string(end.why->code)} : std::nullopt,
        change.at());
  }
  change.tell(*kind, run_ended_data(change.row(), end, change.at()));
  return done;
}

status end(run_change& change, const end_run& told) {
  if (auto knows = must_know_the_past(change, told.from); !knows) {
    return knows;
  }
  if (is_final(told.end.state)) {
    const auto why = told.end.why.value_or(error{error_code::cancelled, "the run has ended", ""});
    cancel_tasks(change, open_tasks(change), why);
    end_quota_timer(change, "cancelled");
  }
  return end(change, told.end);
}

status resume(run_change& change, const resume_run& told) {
  if (auto knows = must_know_the_past(change, told.from); !knows) {
    return knows;
  }
  const auto before = change.row().state;
  if (before != run_state::running) {
    if (auto moved = change.move_to(run_state::running); !moved) {
      return moved;
    }
  }
  end_quota_timer(change, "fired");
  const auto interrupted = interrupt_and_requeue(change, open_tasks(change));
  change.sql().run(
      "UPDATE runs SET epoch = ?2, error_code = NULL, error_message = NULL, error_hint = NULL, failed_step = NULL"
      " WHERE run_id = ?1",
      change.run(),
      change.epoch());
  change.tell(event_kind::run_resumed, run_resumed_data(change.epoch(), before, interrupted));
  return done;
}

}  // namespace troupe
