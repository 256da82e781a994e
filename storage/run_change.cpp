#include "storage/run_change.hpp"

#include "storage/stored_names.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {

error illegal(std::string what) {
  return {
      error_code::internal, std::move(what) + "; nothing was written", "this is a bug of Troupe's: please report it"};
}

error too_late(std::string what) { return {error_code::cancelled, std::move(what) + "; nothing was written", ""}; }

std::optional<run_row> find_run_at_work(statement_cache& sql, const known_rows& known, const run_id& run) {
  if (const auto* row = known.find(run)) {
    return *row;
  }
  auto found = sql.use(
      "SELECT state, supersteps, last_seq, steps, input_tokens, output_tokens, cost_microusd, state_hash,"
      " budget_microusd, budget_tokens, budget_time_us, CASE WHEN parent_task_id IS NULL THEN '' ELSE parent_run_id "
      "END,"
      " unpriced, attempt_time_us FROM runs WHERE run_id = ?",
      run);
  if (!found.step()) {
    return std::nullopt;
  }
  return run_row{run_state_in(found, 0),
                 superstep_no{found.number(1)},
                 event_seq{found.number(2)},
                 found.number(3),
                 found.number(4),
                 found.number(5),
                 found.number(6),
                 found.text(7),
                 {found.number_if(8), found.number_if(9), found.length_if(10)},
                 run_id{found.text(11)},
                 found.number(12),
                 std::chrono::microseconds{found.number(13)}};
}

status run_change::move_to(run_state to) {
  if (!is_legal_move(row_.state, to)) {
    return illegal("run " + run_.str() + " cannot move from " + std::string{to_string(row_.state)} + " to " +
                   std::string{to_string(to)});
  }
  row_.state = to;
  return done;
}

void run_change::tell(event_kind kind, std::string data) {
  append({run_, {}, at_, kind, {}, {}, {}, {}, {}, json_text{std::move(data)}});
}

void run_change::tell(event_kind kind, superstep_no superstep, const step_id& step, std::string data) {
  append({run_, {}, at_, kind, step, superstep, {}, {}, {}, json_text{std::move(data)}});
}

void run_change::tell(event_kind kind, superstep_no superstep, std::string data) {
  append({run_, {}, at_, kind, {}, superstep, {}, {}, {}, json_text{std::move(data)}});
}

void run_change::tell(event_kind kind,
                      const task_reference& task,
                      std::optional<attempt_no> attempt,
                      std::string data) {
  append({run_, {}, at_, kind, task.step, task.superstep, task.task, attempt, task.agent, json_text{std::move(data)}});
}

void run_change::append(event told) {
  row_.last = event_seq{row_.last.value() + 1};
  told.seq = row_.last;
  sql_->run(
      "INSERT INTO events (run_id, seq, time, kind, step_id, superstep, task_id, attempt, agent_name, data)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      told.run,
      told.seq,
      told.time,
      to_string(told.kind),
      told.step,
      told.superstep,
      told.task,
      told.attempt,
      told.agent,
      told.data.str());
  events_.push_back(std::move(told));
}

void run_change::bring_along(event_batch of_another) { std::ranges::move(of_another, std::back_inserter(of_others_)); }

event_batch run_change::finish() {
  if (row_ == before_) {
    known_->keep(run_, row_);
    return std::move(events_);
  }
  sql_->run(
      "UPDATE runs SET supersteps = ?2, last_seq = ?3, steps = ?4, input_tokens = ?5, output_tokens = ?6,"
      " cost_microusd = ?7, state_hash = ?8, unpriced = ?9, attempt_time_us = ?10 WHERE run_id = ?1",
      run_,
      row_.committed,
      row_.last,
      row_.steps,
      row_.input_tokens,
      row_.output_tokens,
      row_.cost_microusd,
      row_.state_hash,
      row_.unpriced,
      row_.attempt_time.count());
  if (row_.state != before_.state) {  // apart, because it touches indexes
    sql_->run("UPDATE runs SET state = ?2, finished_at = ?3 WHERE run_id = ?1",
              run_,
              to_string(row_.state),
              is_final(row_.state) ? std::optional{at_} : std::nullopt);
  }
  known_->keep(run_, row_);
  std::ranges::move(of_others_, std::back_inserter(events_));
  return std::move(events_);
}

}  // namespace troupe
