#include "storage/tasks.hpp"

#include "storage/costs.hpp"
#include "storage/event_data.hpp"
#include "storage/json_object.hpp"
#include "storage/stored_names.hpp"

#include <bit>
#include <utility>

namespace troupe {
namespace {

task_row task_row_of(const run_id& run, const prepared& found, task_id id) {
  return {run,
          {std::move(id), step_id{found.text(0)}, superstep_no{found.number(1)}, agent_name{found.text(2)}},
          task_state_in(found, 3),
          attempt_no{found.number(4)},
          {}};
}

std::string named(const task_row& task) { return "task " + task.names.task.str(); }

std::optional<std::string_view> code_of(const std::optional<error>& why) {
  return why ? std::optional{to_string(why->code)} : std::nullopt;
}

std::optional<std::string> message_of(const std::optional<error>& why) {
  return why ? std::optional{why->message} : std::nullopt;
}

std::optional<std::string> hint_of(const std::optional<error>& why) {
  return why && !why->hint.empty() ? std::optional{why->hint} : std::nullopt;
}

std::optional<json_text> deltas_json(const std::vector<field_delta>& deltas) {
  if (deltas.empty()) {
    return std::nullopt;
  }
  return json_text{json_array(deltas, [](const field_delta& delta) {
    return '[' + json_string(delta.field.str()) + ',' + delta.value.str() + ']';
  })};
}

std::optional<json_text> route_json(const std::optional<std::vector<step_id>>& route) {
  return route
             ? std::optional{json_text{json_array(*route, [](const step_id& step) { return json_string(step.str()); })}}
             : std::nullopt;
}

// A failure that waits for the quorum of its step is of the class that RT-3 calls degraded.
std::optional<std::string_view> class_name_of(const task_outcome& outcome) {
  if (!outcome.why || (outcome.state != task_state::failed && outcome.state != task_state::retrying)) {
    return std::nullopt;
  }
  const bool waits_for_quorum = outcome.state == task_state::retrying && !outcome.retry;
  return to_string(waits_for_quorum ? error_class::degraded : class_of(outcome.why->code));
}

void close_attempt(run_change& change, const task_row& task, std::string_view state, const task_outcome& outcome) {
  const auto& usage = outcome.usage;
  change.sql().run(
      "UPDATE attempts SET state = ?3, finished_at = ?4, error_code = ?5, error_message = ?6, error_hint = ?7,"
      " model = ?8, input_tokens = ?9, output_tokens = ?10, error_class = ?11, session = ?12, took_us = ?13"
      " WHERE task_id = ?1 AND attempt = ?2 AND finished_at IS NULL",
      task.names.task,
      task.attempt,
      state,
      change.at(),
      code_of(outcome.why),
      message_of(outcome.why),
      hint_of(outcome.why),
      usage && !usage->model.empty() ? std::optional{usage->model} : std::nullopt,
      usage ? std::optional{usage->input_tokens} : std::nullopt,
      usage ? std::optional{usage->output_tokens} : std::nullopt,
      class_name_of(outcome),
      outcome.session.empty() ? std::nullopt : std::optional{outcome.session},
      outcome.took ? std::optional{outcome.took->count()} : std::nullopt);
}

void set_retry_timer(run_change& change, const task_row& task, const task_outcome& outcome) {
  change.sql().run(
      "INSERT INTO timers (run_id, task_id, kind, attempt, due_at, reason, state, set_at)"
      " VALUES (?, ?, 'retry', ?, ?, ?, 'waiting', ?)",
      change.run(),
      task.names.task,
      task.attempt,
      outcome.retry->due,
      code_of(outcome.why),
      change.at());
}

void end_retry_timer(run_change& change, const task_row& task, std::string_view how) {
  change.sql().run("UPDATE timers SET state = ?2, ended_at = ?3 WHERE task_id = ?1 AND state = 'waiting'",
                   task.names.task,
                   how,
                   change.at());
}

// What is left of a task at work when an attempt of it has ended.
void save_task(run_change& change, const task_row& task, const task_outcome& outcome) {
  change.sql().run(
      "UPDATE tasks SET state = ?2, attempt = ?3, finished_at = ?4, error_code = ?5, error_message = ?6,"
      " error_hint = ?7, value = ?8, found_by = ?9, deltas = ?10, route = ?11 WHERE task_id = ?1",
      task.names.task,
      to_string(task.state),
      task.attempt,
      is_final(task.state) ? std::optional{change.at()} : std::nullopt,
      code_of(outcome.why),
      message_of(outcome.why),
      hint_of(outcome.why),
      outcome.value,
      outcome.found_by.empty() ? std::nullopt : std::optional{outcome.found_by},
      deltas_json(outcome.deltas),
      route_json(outcome.route));
  change.known().keep(task);
}

void save_running_task(run_change& change, const task_row& task) {
  change.sql().run(
      "UPDATE tasks SET state = 'running', attempt = ?2, error_code = NULL, error_message = NULL, error_hint = NULL"
      " WHERE task_id = ?1",
      task.names.task,
      task.attempt);
  change.known().keep(task);
}

void open_attempt(run_change& change,
                  const task_row& task,
                  const start_attempt& told,
                  std::optional<timestamp> started_at) {
  const bool limited = !told.provider.empty();
  change.sql().run(
      "INSERT INTO attempts (task_id, attempt, epoch, state, pid, pid_start_time, started_at, provider,"
      " input_estimate, output_estimate, request_hash) VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?)",
      task.names.task,
      task.attempt,
      change.epoch(),
      told.pid,
      told.pid_start_time,
      started_at,
      limited ? std::optional{told.provider} : std::nullopt,
      limited ? std::optional{told.estimate.input} : std::nullopt,
      limited ? std::optional{told.estimate.output} : std::nullopt,
      told.request_hash.empty() ? std::nullopt : std::optional{told.request_hash});
  if (task.attempt.value() == 1) {
    ++change.row().steps;
  }
}

// What waited for its next attempt passes the queue on its way, and nobody needs to be told.
status queue_again(run_change& change, task_row& task, std::string_view timer_ends_as) {
  if (task.state == task_state::retrying) {
    end_retry_timer(change, task, timer_ends_as);
  }
  return task.state == task_state::queued || !waits(task.state) ? done : move_task(task, task_state::queued);
}

// A task whose attempt never came to run (no such program, no room for a process) ends without a start: the attempt
// that was meant gets its row now, so that the reason stands where reasons stand.
status take_attempt_that_never_ran(run_change& change, task_row& task, const finish_attempt& told) {
  const bool never_ran = waits(task.state) && told.attempt.value() == task.attempt.value() + 1 &&
                         (told.outcome.state == task_state::failed || told.outcome.state == task_state::cancelled);
  if (!never_ran) {
    return must_be_latest(task, told.attempt);
  }
  if (auto queued = queue_again(change, task, "cancelled"); !queued) {
    return queued;
  }
  task.attempt = told.attempt;
  open_attempt(change, task, {}, std::nullopt);
  return done;
}

attempt_facts facts_of(run_change& change, const task_row& task) {
  if (task.facts) {
    return *task.facts;
  }
  auto found = change.sql().use(
      "SELECT a.exit_code, a.signal, o.stdout_printed, o.stderr_printed FROM attempts AS a"
      " LEFT JOIN attempt_output AS o USING (task_id, attempt) WHERE a.task_id = ? AND a.attempt = ?",
      task.names.task,
      task.attempt);
  attempt_facts facts;
  if (found.step()) {
    const auto small = [&](int column) {
      return found.is_null(column) ? std::nullopt : std::optional{static_cast<int>(found.number(column))};
    };
    facts.exit_code = small(0);
    facts.signal = small(1);
    if (!found.is_null(2)) {
      facts.printed = {found.number(2), found.number(3)};
    }
  }
  return facts;
}

void tell_outcome(run_change& change, const task_row& task, const task_outcome& outcome) {
  const auto attempt = task.attempt.value() > 0 ? std::optional{task.attempt} : std::nullopt;
  const auto facts = facts_of(change, task);
  switch (task.state) {
    case task_state::completed:
      change.tell(event_kind::task_completed, task.names, attempt, task_completed_data(outcome, facts.printed));
      return;
    case task_state::failed:
      change.tell(
          event_kind::task_failed, task.names, attempt, task_failed_data(outcome, facts.exit_code, facts.signal));
      return;
    case task_state::cancelled:
      change.tell(event_kind::task_cancelled, task.names, attempt, error_data(outcome.why));
      return;
    case task_state::interrupted:
      change.tell(event_kind::task_interrupted, task.names, attempt, error_data(outcome.why));
      return;
    case task_state::retrying:
      change.tell(event_kind::task_retrying, task.names, attempt, task_retrying_data(outcome));
      return;
    case task_state::pending:
    case task_state::queued:
    case task_state::running:
    case task_state::validating:
      return;
  }
}

}  // namespace

bool waits(task_state state) noexcept {
  return state == task_state::queued || state == task_state::interrupted || state == task_state::retrying;
}

result<task_row> find_task(run_change& change, const task_id& task) {
  if (const auto* row = change.known().find(task); row != nullptr && row->run == change.run()) {
    return *row;
  }
  auto found = change.sql().use(
      "SELECT step_id, superstep, agent_name, state, attempt FROM tasks WHERE task_id = ? AND run_id = ?",
      task,
      change.run());
  if (!found.step()) {
    return error{error_code::not_found, "run " + change.run().str() + " has no task " + task.str(), ""};
  }
  return task_row_of(change.run(), found, task);
}

status must_be_latest(const task_row& task, attempt_no attempt) {
  if (attempt > task.attempt) {
    return illegal("attempt " + std::to_string(attempt.value()) + " of " + named(task) + " has not started");
  }
  if (attempt < task.attempt) {
    return too_late("attempt " + std::to_string(attempt.value()) + " of " + named(task) +
                    " was superseded by attempt " + std::to_string(task.attempt.value()));
  }
  if (waits(task.state) || task.state == task_state::cancelled) {  // an attempt that is open is in its task's state
    return too_late("attempt " + std::to_string(attempt.value()) + " of " + named(task) + " was " +
                    (task.state == task_state::cancelled ? "cancelled" : "interrupted"));
  }
  return done;
}

status move_task(task_row& task, task_state to) {
  if (!is_legal_move(task.state, to)) {
    return illegal(named(task) + " cannot move from " + std::string{to_string(task.state)} + " to " +
                   std::string{to_string(to)});
  }
  task.state = to;
  return done;
}

status queue_front(run_change& change, superstep_no superstep, const std::vector<planned_task>& front) {
  for (const auto& planned : front) {
    if (planned.superstep != superstep) {
      return illegal("task " + planned.id.str() + " is planned for superstep " +
                     std::to_string(planned.superstep.value()) + ", not " + std::to_string(superstep.value()));
    }
    const auto made = change.sql().run(
        "INSERT INTO tasks (task_id, run_id, superstep, step_id, agent_name, ordinal, state, queued_at, item, "
        "order_key)"
        " VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?) ON CONFLICT DO NOTHING",
        planned.id,
        change.run(),
        superstep,
        planned.step,
        planned.agent,
        planned.order,
        change.at(),
        planned.item,
        std::bit_cast<std::int64_t>(planned.order_key));
    if (made == 0) {
      return illegal("task " + planned.id.str() + " or its place " + std::to_string(planned.order) +
                     " in the front is taken");
    }
    const task_row queued{
        change.run(), {planned.id, planned.step, superstep, planned.agent}, task_state::queued, {}, {}};
    change.tell(event_kind::task_queued, queued.names, std::nullopt, task_queued_data(planned));
    change.known().keep(queued);
  }
  return done;
}

status start(run_change& change, const start_attempt& told) {
  auto found = find_task(change, told.task);
  if (!found) {
    return found.error();
  }
  auto& task = *found;
  if (told.attempt <= task.attempt) {
    return too_late("attempt " + std::to_string(told.attempt.value()) + " of " + named(task) + " was superseded");
  }
  if (told.attempt.value() != task.attempt.value() + 1) {
    return illegal("attempt " + std::to_string(told.attempt.value()) + " of " + named(task) + " comes after attempt " +
                   std::to_string(task.attempt.value()));
  }
  if (auto queued = queue_again(change, task, "fired"); !queued) {
    return queued;
  }
  if (auto moved = move_task(task, task_state::running); !moved) {
    return moved;
  }
  task.attempt = told.attempt;
  task.facts.reset();
  open_attempt(change, task, told, told.at);
  save_running_task(change, task);
  change.tell(event_kind::task_started, task.names, task.attempt, task_started_data(told));
  return done;
}

status finish(run_change& change, const finish_attempt& told) {
  auto found = find_task(change, told.task);
  if (!found) {
    return found.error();
  }
  auto& task = *found;
  const auto& outcome = told.outcome;
  const bool waits_again = outcome.state == task_state::interrupted || outcome.state == task_state::retrying;
  if (!is_final(outcome.state) && !waits_again) {
    return illegal("an attempt of " + named(task) + " cannot end as " + std::string{to_string(outcome.state)});
  }
  const bool has_run = !waits(task.state);
  if (auto taken = take_attempt_that_never_ran(change, task, told); !taken) {
    return taken;
  }
  const auto of_attempt = outcome.state == task_state::retrying ? task_state::failed : outcome.state;
  if (auto moved = move_task(task, of_attempt); !moved) {
    return moved;
  }
  if (auto moved = of_attempt == outcome.state ? done : move_task(task, outcome.state); !moved) {
    return moved;
  }
  close_attempt(change, task, to_string(of_attempt), outcome);
  if (outcome.retry) {
    set_retry_timer(change, task, outcome);
  }
  save_task(change, task, outcome);
  tell_outcome(change, task, outcome);
  if (has_run) {
    settle(change, task.names, task.attempt, outcome);
  } else {
    give_back(change, task.names, task.attempt);
  }
  return done;
}

std::vector<task_row> open_tasks(run_change& change) {
  auto found = change.sql().use(
      "SELECT step_id, superstep, agent_name, state, attempt, task_id FROM tasks WHERE run_id = ? AND superstep = ?"
      " AND state NOT IN ('completed', 'failed', 'cancelled') ORDER BY ordinal",
      change.run(),
      change.open_superstep());
  std::vector<task_row> tasks;
  while (found.step()) {
    tasks.push_back(task_row_of(change.run(), found, task_id{found.text(5)}));
  }
  return tasks;
}

void cancel_tasks(run_change& change, std::vector<task_row> tasks, const error& why) {
  for (auto& task : tasks) {
    if (task.state == task_state::retrying) {
      end_retry_timer(change, task, "cancelled");
    }
    task.state = task_state::cancelled;  // legal from every state that is not final
    const task_outcome outcome{task_state::cancelled, {}, {}, {}, {}, why};
    close_attempt(change, task, "cancelled", outcome);
    save_task(change, task, outcome);
    tell_outcome(change, task, outcome);
    settle(change, task.names, task.attempt, outcome);
  }
}

status give_up(run_change& change, const given_up_task& told) {
  auto task = find_task(change, told.task);
  if (!task) {
    return task.error();
  }
  if (!waits(task->state) || !is_final(told.state) || told.state == task_state::completed) {
    return illegal(named(*task) + " is " + std::string{to_string(task->state)} + " and cannot be given up as " +
                   std::string{to_string(told.state)});
  }
  if (auto queued = queue_again(change, *task, "cancelled"); !queued) {
    return queued;
  }
  if (auto moved = move_task(*task, told.state); !moved) {
    return moved;
  }
  give_back(change, task->names, attempt_no{task->attempt.value() + 1});  // reserved for, and never begun
  const task_outcome outcome{told.state, {}, {}, {}, {}, told.why};
  save_task(change, *task, outcome);
  tell_outcome(change, *task, outcome);
  return done;
}

std::int64_t interrupt_and_requeue(run_change& change, std::vector<task_row> tasks) {
  std::int64_t told = 0;
  for (auto& task : tasks) {
    if (task.state == task_state::running || task.state == task_state::validating) {
      task.state = task_state::interrupted;
      const task_outcome outcome{task_state::interrupted, {}, {}, {}, {}, {}};
      close_attempt(change, task, "interrupted", outcome);
      tell_outcome(change, task, outcome);
      settle(change, task.names, task.attempt, outcome);
      ++told;
    }
    if (task.state == task_state::interrupted) {
      task.state = task_state::queued;
      save_task(change, task, {task_state::queued, {}, {}, {}, {}, {}});
    }
  }
  return told;
}

}  // namespace troupe
