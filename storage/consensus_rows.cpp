#include "storage/consensus_rows.hpp"

#include "storage/event_data.hpp"
#include "storage/stored_names.hpp"

#include <chrono>

namespace troupe {
namespace {

std::int64_t milliseconds_of(timestamp at) {
  return std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count();
}

std::string subject_of(run_change& change) {
  auto found = change.sql().use("SELECT subject FROM runs WHERE run_id = ?", change.run());
  return found.step() ? found.text(0) : std::string{};
}

// Two runs about one subject may end the same step in the same millisecond; UNIQUE (spec_id, stage, run_timestamp) is
// the original design's, so the later one takes the next millisecond that is free.
std::int64_t free_timestamp(run_change& change, const std::string& subject, const step_id& step) {
  const auto wanted = milliseconds_of(change.at());
  auto found = change.sql().use(
      "SELECT max(run_timestamp) FROM consensus_runs WHERE spec_id = ?1 AND stage = ?2 AND run_timestamp >= ?3"
      " AND EXISTS (SELECT 1 FROM consensus_runs WHERE spec_id = ?1 AND stage = ?2 AND run_timestamp = ?3)",
      subject,
      step,
      wanted);
  return found.step() && !found.is_null(0) ? found.number(0) + 1 : wanted;
}

std::int64_t insert_consensus(run_change& change, const step_verdict& verdict) {
  const auto subject = subject_of(change);
  const auto& reached = verdict.reached;
  const bool has_result = reached.status == verdict_status::ok || reached.status == verdict_status::degraded;
  auto made = change.sql().use(
      "INSERT INTO consensus_runs (spec_id, stage, run_timestamp, consensus_ok, degraded, synthesis_json)"
      " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
      subject,
      verdict.step,
      free_timestamp(change, subject, verdict.step),
      has_result,
      reached.degraded,
      reached.winner);
  if (!made.step()) {
    throw damaged_row{"an inserted consensus has no id"};
  }
  const auto id = made.number(0);
  made.run();
  return id;
}

void insert_answer(run_change& change,
                   std::int64_t consensus,
                   superstep_no superstep,
                   const step_id& step,
                   const agent_answer& answer) {
  std::optional<std::string> model;
  std::int64_t when = milliseconds_of(change.at());
  {
    auto task = change.sql().use(
        "SELECT a.model, t.finished_at FROM tasks AS t LEFT JOIN attempts AS a USING (task_id, attempt)"
        " WHERE t.run_id = ? AND t.superstep = ? AND t.step_id = ? AND t.agent_name = ? ORDER BY t.ordinal LIMIT 1",
        change.run(),
        superstep,
        step,
        answer.agent);
    if (task.step()) {
      model = task.is_null(0) ? std::nullopt : std::optional{task.text(0)};
      when = task.is_null(1) ? when : milliseconds_of(task.time(1));
    }
  }
  change.sql().run(
      "INSERT INTO agent_outputs (run_id, agent_name, model_version, content, output_timestamp)"
      " VALUES (?, ?, ?, ?, ?)",
      consensus,
      answer.agent,
      model,
      answer.value->str(),
      when);
}

}  // namespace

void save_verdict(run_change& change, superstep_no superstep, const step_verdict& verdict) {
  const auto consensus = insert_consensus(change, verdict);
  change.sql().run(
      "INSERT INTO consensus_verdicts (consensus_id, run_id, superstep, step_id, status, verdict)"
      " VALUES (?, ?, ?, ?, ?, ?)",
      consensus,
      change.run(),
      superstep,
      verdict.step,
      to_string(verdict.reached.status),
      verdict_json(verdict.reached));
  for (const auto& answer : verdict.answers) {
    if (answer.value) {
      insert_answer(change, consensus, superstep, verdict.step, answer);
    }
  }
  change.tell(event_kind::consensus_reached, superstep, verdict.step, consensus_data(verdict.reached));
}

}  // namespace troupe
