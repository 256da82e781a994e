#include "storage/costs.hpp"

#include "storage/budgets.hpp"
#include "storage/event_data.hpp"

#include <algorithm>
#include <optional>

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

void count(run_row& row, const task_outcome& outcome) {
  if (outcome.cost) {
    row.input_tokens += outcome.cost->input_tokens;
    row.output_tokens += outcome.cost->output_tokens;
    row.cost_microusd += outcome.cost->microusd.value_or(0);
    row.unpriced += outcome.cost->microusd ? 0 : 1;
  }
  row.attempt_time += outcome.took.value_or(0us);
}

// The runs above have rows of their own, which this command is not about: their counters are written beside it.
void count_above(run_change& change, const task_outcome& outcome) {
  for (auto above = change.row().child_of; !above.empty();) {
    auto row = find_run_at_work(change.sql(), change.known(), above);
    if (!row) {
      return;
    }
    count(*row, outcome);
    change.sql().run(
        "UPDATE runs SET input_tokens = ?2, output_tokens = ?3, cost_microusd = ?4, unpriced = ?5, attempt_time_us = ?6"
        " WHERE run_id = ?1",
        above,
        row->input_tokens,
        row->output_tokens,
        row->cost_microusd,
        row->unpriced,
        row->attempt_time.count());
    change.known().keep(above, *row);
    above = row->child_of;
  }
}

// Nobody saw the end of an attempt that was cut off with its process. It has taken what it had reserved at most, and not
// more than the time since its start.
std::int64_t time_of_lost(run_change& change, const task_id& task, attempt_no attempt, std::int64_t reserved) {
  auto row = change.sql().use("SELECT started_at FROM attempts WHERE task_id = ? AND attempt = ?", task, attempt);
  const auto began = row.step() ? row.time_if(0) : std::nullopt;
  return began ? std::clamp<std::int64_t>((change.at() - *began).count(), 0, reserved) : 0;
}

std::int64_t spent_of(
    run_change& change, const task_id& task, attempt_no attempt, const task_outcome& outcome, const budget_line& line) {
  const bool was_cut_off = outcome.state == task_state::interrupted || outcome.state == task_state::cancelled;
  const auto reserved = was_cut_off ? line.amount : 0;
  switch (line.unit) {
    case budget_unit::microusd:
      return outcome.cost ? outcome.cost->microusd.value_or(line.amount) : reserved;
    case budget_unit::tokens:
      return outcome.cost ? outcome.cost->input_tokens + outcome.cost->output_tokens : reserved;
    case budget_unit::microseconds:
      return outcome.took ? outcome.took->count() : time_of_lost(change, task, attempt, reserved);
  }
  return 0;
}

// Micro-dollars that were reserved and count in the place of an amount that nobody knows.
std::optional<std::int64_t> counted_of(const attempt_cost& cost, const std::vector<budget_line>& reserved) {
  const auto money = std::ranges::find_if(
      reserved, [](const budget_line& line) { return line.unit == budget_unit::microusd && line.amount > 0; });
  return cost.microusd || money == reserved.end() ? std::nullopt : std::optional{money->amount};
}

// The keys and their order, for each grouping; the rest of the query is one and the same.
#define TROUPE_COST_SUMS(key, grouped, ordered)                                                               \
  "WITH RECURSIVE family (run_id) AS (SELECT ?1 UNION SELECT r.run_id FROM runs AS r JOIN family AS f"        \
  " ON r.parent_run_id = f.run_id WHERE r.parent_task_id IS NOT NULL)"                                        \
  " SELECT " key                                                                                              \
  ", count(*), count(*) FILTER (WHERE c.source = 'estimated'), count(*) FILTER (WHERE c.source = 'unknown')," \
  " coalesce(sum(c.input_tokens), 0), coalesce(sum(c.output_tokens), 0), coalesce(sum(c.cost_microusd), 0),"  \
  " coalesce(sum(a.took_us), 0), count(*) FILTER (WHERE c.source IS NULL)"                                    \
  " FROM attempts AS a JOIN tasks AS t ON t.task_id = a.task_id JOIN runs AS r ON r.run_id = t.run_id"        \
  " LEFT JOIN costs AS c ON c.task_id = a.task_id AND c.attempt = a.attempt"                                  \
  " WHERE (a.took_us IS NOT NULL OR c.source IS NOT NULL)"                                                    \
  " AND (?1 IS NULL OR r.run_id IN (SELECT run_id FROM family)) AND (?2 IS NULL OR r.subject = ?2)"           \
  " AND (?3 IS NULL OR a.finished_at >= ?3) GROUP BY " grouped " ORDER BY " ordered

constexpr const char* by_attempt = TROUPE_COST_SUMS(
    "r.run_id || ' ' || t.superstep || ' ' || t.step_id || '/' || t.agent_name ||"
    " CASE WHEN t.item IS NULL THEN '' ELSE '[' || t.item || ']' END || ' #' || a.attempt",
    "a.task_id, a.attempt",
    "a.finished_at, r.run_id, t.superstep, t.ordinal, a.attempt");
constexpr const char* by_step = TROUPE_COST_SUMS("t.step_id", "1", "7 DESC, 1");
constexpr const char* by_agent = TROUPE_COST_SUMS("t.agent_name", "1", "7 DESC, 1");
constexpr const char* by_model = TROUPE_COST_SUMS("coalesce(c.model, '')", "1", "7 DESC, 1");
constexpr const char* by_run = TROUPE_COST_SUMS("r.run_id", "1", "7 DESC, 1");
constexpr const char* by_subject = TROUPE_COST_SUMS("r.subject", "1", "7 DESC, 1");
constexpr const char* by_day = TROUPE_COST_SUMS("date(a.finished_at / 1000000, 'unixepoch')", "1", "1");

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
  auto lines = take_reservations(change, task.task, attempt);
  if (outcome.cost) {
    insert_cost(change, task.task, attempt, *outcome.cost);
    change.tell(
        event_kind::cost_recorded, task, attempt, cost_recorded_data(*outcome.cost, counted_of(*outcome.cost, lines)));
  } else if (outcome.usage) {
    change.row().input_tokens += outcome.usage->input_tokens;
    change.row().output_tokens += outcome.usage->output_tokens;
  }
  if (outcome.cost || outcome.took) {
    count(change.row(), outcome);
    count_above(change, outcome);
    add_unreserved(change, lines);
  }
  for (const auto& line : lines) {
    const auto spent = spent_of(change, task.task, attempt, outcome, line);
    if (line.amount > 0 || spent > 0) {
      spend(change, task, attempt, line, spent);
    }
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
    sums.push_back({row.text(0),
                    row.number(1),
                    row.number(2),
                    row.number(3),
                    row.number(4),
                    row.number(5),
                    row.number(6),
                    std::chrono::microseconds{row.number(7)},
                    row.number(8)});
  }
  return sums;
}

}  // namespace troupe
