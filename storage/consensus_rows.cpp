#include "storage/consensus_rows.hpp"

#include "storage/event_data.hpp"
#include "storage/stored_names.hpp"

#include <algorithm>
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

std::int64_t insert_consensus(run_change& change, const step_verdict& verdict) {
  const auto subject = subject_of(change);
  const auto& reached = verdict.reached;
  const bool has_result = reached.status == verdict_status::ok || reached.status == verdict_status::degraded;
  auto made = change.sql().use(
      "INSERT INTO consensus_runs (spec_id, stage, run_timestamp, consensus_ok, degraded, synthesis_json)"
      " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
      subject,
      verdict.step,
      free_run_timestamp(change.sql(), subject, verdict.step.str(), milliseconds_of(change.at())),
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
  auto model = answer.model.empty() ? std::nullopt : std::optional{answer.model};
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
      model = task.is_null(0) ? model : task.text(0);  // what the agent says of itself counts first
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

std::int64_t free_run_timestamp(statement_cache& sql,
                                const std::string& subject,
                                const std::string& stage,
                                std::int64_t wanted) {
  auto found = sql.use(
      "SELECT min(t.run_timestamp) + 1 FROM consensus_runs AS t"
      " WHERE t.spec_id = ?1 AND t.stage = ?2 AND t.run_timestamp >= ?3"
      " AND EXISTS (SELECT 1 FROM consensus_runs WHERE spec_id = ?1 AND stage = ?2 AND run_timestamp = ?3)"
      " AND NOT EXISTS (SELECT 1 FROM consensus_runs AS next"
      "   WHERE next.spec_id = ?1 AND next.stage = ?2 AND next.run_timestamp = t.run_timestamp + 1)",
      subject,
      stage,
      wanted);
  return found.step() && !found.is_null(0) ? found.number(0) : wanted;
}

std::vector<verdict_view> list_verdict_rows(statement_cache& sql, const run_id& run) {
  auto row = sql.use(
      "SELECT superstep, step_id, verdict FROM consensus_verdicts WHERE run_id = ? ORDER BY superstep, consensus_id",
      run);
  std::vector<verdict_view> verdicts;
  while (row.step()) {
    verdicts.push_back({superstep_no{row.number(0)}, step_id{row.text(1)}, json_text{row.text(2)}});
  }
  return verdicts;
}

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
  const auto& counted = verdict.reached.answered;
  for (const auto& answer : verdict.answers) {
    if (answer.value && std::ranges::find(counted, answer.agent) != counted.end()) {
      insert_answer(change, consensus, superstep, verdict.step, answer);
    }
  }
  change.tell(event_kind::consensus_reached, superstep, verdict.step, consensus_data(verdict.reached));
}

}  // namespace troupe
