#include "storage/costs.hpp"

#include "storage/budgets.hpp"
#include "storage/event_data.hpp"

namespace troupe {
namespace {

void insert_cost(run_change& change, const task_id& task, attempt_no attempt, const attempt_cost& cost) {
  change.sql().run(
      "INSERT INTO costs (task_id, attempt, model, input_tokens, output_tokens, cost_microusd, source, recorded_at)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      task,
      attempt,
      cost.model,
      cost.input_tokens,
      cost.output_tokens,
      cost.microusd,
      to_string(cost.source),
      change.at());
}

void count(run_row& row, const attempt_cost& cost) {
  row.input_tokens += cost.input_tokens;
  row.output_tokens += cost.output_tokens;
  row.cost_microusd += cost.microusd.value_or(0);
}

// The runs above have rows of their own, which this command is not about: their counters are written beside it.
void count_above(run_change& change, const attempt_cost& cost) {
  for (auto above = change.row().child_of; !above.empty();) {
    auto row = find_run_at_work(change.sql(), change.known(), above);
    if (!row) {
      return;
    }
    count(*row, cost);
    change.sql().run("UPDATE runs SET input_tokens = ?2, output_tokens = ?3, cost_microusd = ?4 WHERE run_id = ?1",
                     above,
                     row->input_tokens,
                     row->output_tokens,
                     row->cost_microusd);
    change.known().keep(above, *row);
    above = row->child_of;
  }
}

// The keys and their order, for each grouping; the rest of the query is one and the same.
#define TROUPE_COST_SUMS(key, grouped, ordered)                                                                    \
  "WITH RECURSIVE family (run_id) AS (SELECT ?1 UNION SELECT r.run_id FROM runs AS r JOIN family AS f"             \
  " ON r.parent_run_id = f.run_id WHERE r.parent_task_id IS NOT NULL)"                                             \
  " SELECT " key                                                                                                   \
  ", count(*), sum(c.source = 'estimated'), sum(c.source = 'unknown'), sum(c.input_tokens), sum(c.output_tokens)," \
  " coalesce(sum(c.cost_microusd), 0) FROM costs AS c JOIN tasks AS t ON t.task_id = c.task_id"                    \
  " JOIN runs AS r ON r.run_id = t.run_id WHERE (?1 IS NULL OR r.run_id IN (SELECT run_id FROM family))"           \
  " AND (?2 IS NULL OR r.subject = ?2) AND (?3 IS NULL OR c.recorded_at >= ?3) GROUP BY " grouped " ORDER BY " ordered

constexpr const char* by_attempt = TROUPE_COST_SUMS(
    "r.run_id || ' ' || t.superstep || ' ' || t.step_id || '/' || t.agent_name ||"
    " CASE WHEN t.item IS NULL THEN '' ELSE '[' || t.item || ']' END || ' #' || c.attempt",
    "c.task_id, c.attempt",
    "min(c.recorded_at), r.run_id, t.superstep, t.ordinal, c.attempt");
constexpr const char* by_step = TROUPE_COST_SUMS("t.step_id", "1", "7 DESC, 1");
constexpr const char* by_agent = TROUPE_COST_SUMS("t.agent_name", "1", "7 DESC, 1");
constexpr const char* by_model = TROUPE_COST_SUMS("c.model", "1", "7 DESC, 1");
constexpr const char* by_run = TROUPE_COST_SUMS("r.run_id", "1", "7 DESC, 1");
constexpr const char* by_subject = TROUPE_COST_SUMS("r.subject", "1", "7 DESC, 1");
constexpr const char* by_day = TROUPE_COST_SUMS("date(c.recorded_at / 1000000, 'unixepoch')", "1", "1");

#undef TROUPE_COST_SUMS

const char* query_of(cost_grouping by) {
  switch (by) {
    case cost_grouping::attempt:
      return by_attempt;
    case cost_grouping::step:
      return by_step;
    case cost_grouping::agent:
      return by_agent;
    case cost_grouping::model:
      return by_model;
    case cost_grouping::run:
      return by_run;
    case cost_grouping::subject:
      return by_subject;
    case cost_grouping::day:
      return by_day;
  }
  return by_attempt;
}

}  // namespace

void settle(run_change& change, const task_reference& task, attempt_no attempt, const task_outcome& outcome) {
  if (attempt.value() == 0) {
    return;  // none has begun
  }
  auto reserved = take_reservations(change, task.task, attempt);
  if (outcome.cost) {
    const auto& cost = *outcome.cost;
    insert_cost(change, task.task, attempt, cost);
    count(change.row(), cost);
    count_above(change, cost);
    std::optional<std::int64_t> counted;
    for (const auto& line : reserved) {
      if (!cost.microusd && line.unit == budget_unit::microusd && line.amount > 0) {
        counted = line.amount;
      }
    }
    change.tell(event_kind::cost_recorded, task, attempt, cost_recorded_data(cost, counted));
    reserved = reserved.empty() ? budgets_of(change) : std::move(reserved);
  } else if (outcome.usage) {
    change.row().input_tokens += outcome.usage->input_tokens;
    change.row().output_tokens += outcome.usage->output_tokens;
  }
  const bool was_cut_off = outcome.state == task_state::interrupted || outcome.state == task_state::cancelled;
  for (const auto& line : reserved) {
    std::int64_t spent = was_cut_off ? line.amount : 0;
    if (outcome.cost) {
      const auto& cost = *outcome.cost;
      spent = line.unit == budget_unit::tokens ? cost.input_tokens + cost.output_tokens
                                               : cost.microusd.value_or(line.amount);
    }
    spend(change, task, attempt, line, spent);
  }
}

void give_back(run_change& change, const task_reference& task, attempt_no attempt) {
  for (const auto& line : take_reservations(change, task.task, attempt)) {
    spend(change, task, attempt, line, 0);
  }
}

std::vector<cost_sum> list_cost_sums(statement_cache& sql, const cost_filter& filter, cost_grouping by) {
  auto row = sql.use(query_of(by), filter.run, filter.subject, filter.since);
  std::vector<cost_sum> sums;
  while (row.step()) {
    sums.push_back(
        {row.text(0), row.number(1), row.number(2), row.number(3), row.number(4), row.number(5), row.number(6)});
  }
  return sums;
}

std::int64_t count_unpriced(statement_cache& sql, const run_id& run) {
  auto row = sql.use(
      "WITH RECURSIVE family (run_id) AS (SELECT ?1 UNION SELECT r.run_id FROM runs AS r JOIN family AS f"
      " ON r.parent_run_id = f.run_id WHERE r.parent_task_id IS NOT NULL) SELECT count(*) FROM family AS f"
      " JOIN tasks AS t ON t.run_id = f.run_id JOIN costs AS c ON c.task_id = t.task_id WHERE c.source = 'unknown'",
      run);
  return row.step() ? row.number(0) : 0;
}

}  // namespace troupe
