#include "storage/budgets.hpp"

#include "storage/budget_refusal.hpp"
#include "storage/event_data.hpp"
#include "storage/stored_names.hpp"
#include "storage/tasks.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<int, 3> warned_at{80, 90, 100};

struct wanted_line {
  budget_line line;
  std::int64_t ceiling = 0;
};

struct budget_row {
  std::int64_t ceiling = 0;
  std::int64_t reserved = 0;
  std::int64_t spent = 0;
  int warned = 0;
};

std::int64_t expected_of(const reserve_budget& told, budget_unit unit) {
  switch (unit) {
    case budget_unit::microusd:
      return told.microusd;
    case budget_unit::tokens:
      return told.tokens;
    case budget_unit::microseconds:
      return told.time.count();
  }
  return 0;
}

std::string subject_of(run_change& change) {
  auto row = change.sql().use("SELECT subject FROM runs WHERE run_id = ?", change.run());
  return row.step() ? row.text(0) : std::string{};
}

std::string day_of(timestamp at) { return to_rfc3339(at).substr(0, std::string_view{"2026-11-21"}.size()); }

timestamp beginning_of_day(timestamp at) { return std::chrono::floor<std::chrono::days>(at); }

// The run first, then the one whose task it is, and so on.
template <class Visit>
void for_each_above(statement_cache& sql, const known_rows& known, const run_id& run, Visit visit) {
  for (auto id = run; !id.empty();) {
    const auto row = find_run_at_work(sql, known, id);
    if (!row) {
      return;
    }
    visit(id, *row);
    id = row->child_of;
  }
}

std::vector<wanted_line> lines_for(run_change& change, const reserve_budget& told) {
  std::vector<wanted_line> lines;
  const auto add = [&](budget_scope scope, const std::string& key, const budget_limits& most) {
    for (const auto unit : all_budget_units) {
      if (const auto ceiling = limit_of(most, unit)) {
        lines.push_back({{scope, key, unit, expected_of(told, unit)}, *ceiling});
      }
    }
  };
  for_each_above(change.sql(), change.known(), change.run(), [&](const run_id& run, const run_row& row) {
    add(budget_scope::run, run.str(), row.budget);
  });
  add(budget_scope::subject, subject_of(change), told.ceilings.subject);
  add(budget_scope::day, day_of(told.at), told.ceilings.day);
  return lines;
}

std::int64_t used_by(const run_row& run, budget_unit unit) {
  switch (unit) {
    case budget_unit::microusd:
      return run.cost_microusd;
    case budget_unit::tokens:
      return run.input_tokens + run.output_tokens;
    case budget_unit::microseconds:
      return run.attempt_time.count();
  }
  return 0;
}

std::int64_t used_by_subject(run_change& change, const std::string& subject, budget_unit unit) {
  auto row = change.sql().use(
      "SELECT coalesce(sum(cost_microusd), 0), coalesce(sum(input_tokens + output_tokens), 0),"
      " coalesce(sum(attempt_time_us), 0) FROM runs WHERE subject = ? AND parent_task_id IS NULL",
      subject);
  return row.step() ? row.number(static_cast<int>(unit)) : 0;
}

std::int64_t used_by_day(run_change& change, budget_unit unit) {
  const auto since = beginning_of_day(change.at());
  // Ends of attempts have no index: of the runs that may have had one since then only.
  auto row = unit == budget_unit::microseconds
                 ? change.sql().use(
                       "SELECT coalesce(sum(a.took_us), 0) FROM runs AS r CROSS JOIN tasks AS t ON t.run_id = r.run_id"
                       " CROSS JOIN attempts AS a ON a.task_id = t.task_id"
                       " WHERE (r.finished_at IS NULL OR r.finished_at >= ?1) AND a.finished_at >= ?1",
                       since)
                 : change.sql().use(
                       "SELECT coalesce(sum(cost_microusd), 0), coalesce(sum(input_tokens + output_tokens), 0)"
                       " FROM costs WHERE recorded_at >= ?",
                       since);
  return row.step() ? row.number(unit == budget_unit::tokens ? 1 : 0) : 0;
}

// What had been used up before there was a budget to count it. A run's row has that of its child runs.
std::int64_t spent_before(run_change& change, const budget_line& line) {
  switch (line.scope) {
    case budget_scope::run: {
      const auto row = find_run_at_work(change.sql(), change.known(), run_id{line.key});
      return row ? used_by(*row, line.unit) : 0;
    }
    case budget_scope::subject:
      return used_by_subject(change, line.key, line.unit);
    case budget_scope::day:
      return used_by_day(change, line.unit);
  }
  return 0;
}

std::optional<budget_row> find_row(statement_cache& sql, const budget_line& line) {
  auto row =
      sql.use("SELECT ceiling, reserved, spent, warned FROM budgets WHERE scope = ? AND scope_key = ? AND unit = ?",
              to_string(line.scope),
              line.key,
              to_string(line.unit));
  if (!row.step()) {
    return std::nullopt;
  }
  return budget_row{row.number(0), row.number(1), row.number(2), static_cast<int>(row.number(3))};
}

// Of an attempt about which nothing is known, only that there is something left.
bool fits(const wanted_line& wanted, const budget_row& row) {
  const auto left = wanted.ceiling - row.reserved - row.spent;
  return wanted.line.amount > 0 ? wanted.line.amount <= left : left > 0;
}

bool holds_something(run_change& change, const task_id& task, attempt_no attempt) {
  auto row = change.sql().use("SELECT 1 FROM budget_reservations WHERE task_id = ? AND attempt = ?", task, attempt);
  return row.step();
}

// Not earlier, and not twice: as the attempt itself.
status may_reserve(run_change& change, const reserve_budget& told) {
  const auto task = find_task(change, told.task);
  if (!task) {
    return task.error();
  }
  const std::string named = "attempt " + std::to_string(told.attempt.value()) + " of task " + told.task.str();
  if (told.attempt <= task->attempt || !waits(task->state) || holds_something(change, told.task, told.attempt)) {
    return too_late(named + " has begun before, or has reserved what it needs");
  }
  if (told.attempt.value() != task->attempt.value() + 1) {
    return illegal(named + " comes after attempt " + std::to_string(task->attempt.value()));
  }
  return done;
}

void hold(run_change& change, const reserve_budget& told, const wanted_line& wanted, const budget_row& row) {
  const auto& line = wanted.line;
  change.sql().run(
      "INSERT INTO budgets (scope, scope_key, unit, ceiling, reserved, spent, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6,"
      " ?7) ON CONFLICT DO UPDATE SET warned = CASE ceiling WHEN ?4 THEN warned ELSE 0 END, ceiling = ?4,"
      " reserved = reserved + ?5, changed_at = ?7",
      to_string(line.scope),
      line.key,
      to_string(line.unit),
      wanted.ceiling,
      line.amount,
      row.spent,
      change.at());
  change.sql().run(
      "INSERT INTO budget_reservations (task_id, attempt, scope, scope_key, unit, amount) VALUES (?, ?, ?, ?, ?, ?)",
      told.task,
      told.attempt,
      to_string(line.scope),
      line.key,
      to_string(line.unit),
      line.amount);
}

budget_unit unit_in(const prepared& row, int column) {
  const auto unit = budget_unit_from(row.text(column));
  if (!unit) {
    throw damaged_row{"a budget is of a unit that is not known"};
  }
  return *unit;
}

budget_line line_of(const prepared& row) {
  const auto scope = budget_scope_from(row.text(0));
  if (!scope) {
    throw damaged_row{"a reservation is of no budget that is known"};
  }
  return {*scope, row.text(1), unit_in(row, 2), row.number(3)};
}

// The part of the ceiling that is spent, without an overflow at amounts of any size.
int percent_of(std::int64_t spent, std::int64_t ceiling) {
  if (spent >= ceiling) {
    return 100;
  }
  constexpr std::int64_t hundred = 100;
  const bool is_huge = ceiling > std::numeric_limits<std::int64_t>::max() / hundred;
  return static_cast<int>(is_huge ? spent / (ceiling / hundred) : spent * hundred / ceiling);
}

void warn(run_change& change, const task_reference& task, attempt_no attempt, const budget_line& line) {
  const auto row = find_row(change.sql(), line);
  if (!row) {
    return;
  }
  const int percent = percent_of(row->spent, row->ceiling);
  int warned = row->warned;
  for (const int level : warned_at) {
    if (percent >= level && row->warned < level) {
      change.tell(
          event_kind::budget_warned,
          task,
          attempt,
          budget_warned_data({line.scope, line.key, line.unit, level, row->spent, row->reserved, row->ceiling}));
      warned = level;
    }
  }
  if (warned != row->warned) {
    change.sql().run("UPDATE budgets SET warned = ?4 WHERE scope = ?1 AND scope_key = ?2 AND unit = ?3",
                     to_string(line.scope),
                     line.key,
                     to_string(line.unit),
                     warned);
  }
}

}  // namespace

status reserve(run_change& change, const reserve_budget& told) {
  if (auto may = may_reserve(change, told); !may) {
    return may;
  }
  const auto lines = lines_for(change, told);
  std::vector<budget_row> rows;
  for (const auto& wanted : lines) {  // all of them before anything is written: a refusal leaves nothing behind
    auto row = find_row(change.sql(), wanted.line);
    if (!row) {
      row = budget_row{wanted.ceiling, 0, spent_before(change, wanted.line), 0};
    }
    if (!fits(wanted, *row)) {
      return refusal_of({wanted.line, wanted.ceiling, row->reserved, row->spent});
    }
    rows.push_back(*row);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    hold(change, told, lines[i], rows[i]);
  }
  return done;
}

std::vector<budget_line> take_reservations(run_change& change, const task_id& task, attempt_no attempt) {
  std::vector<budget_line> lines;
  {
    auto row = change.sql().use(
        "SELECT scope, scope_key, unit, amount FROM budget_reservations WHERE task_id = ? AND attempt = ?",
        task,
        attempt);
    while (row.step()) {
      lines.push_back(line_of(row));
    }
  }
  if (!lines.empty()) {
    change.sql().run("DELETE FROM budget_reservations WHERE task_id = ? AND attempt = ?", task, attempt);
  }
  return lines;
}

void add_unreserved(run_change& change, std::vector<budget_line>& lines) {
  if (!change.sql().use("SELECT 1 FROM budgets LIMIT 1").step()) {
    return;
  }
  const auto count = lines.size();
  const auto add = [&](budget_scope scope, const std::string& key) {
    auto row = change.sql().use("SELECT unit FROM budgets WHERE scope = ? AND scope_key = ?", to_string(scope), key);
    while (row.step()) {
      budget_line line{scope, key, unit_in(row, 0), 0};
      const bool is_reserved =
          std::any_of(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(count), [&](const budget_line& each) {
            return each.scope == scope && each.unit == line.unit;
          });
      if (!is_reserved) {
        lines.push_back(std::move(line));
      }
    }
  };
  for_each_above(change.sql(), change.known(), change.run(), [&](const run_id& run, const run_row&) {
    add(budget_scope::run, run.str());
  });
  add(budget_scope::subject, subject_of(change));
  add(budget_scope::day, day_of(change.at()));
}

void spend(
    run_change& change, const task_reference& task, attempt_no attempt, const budget_line& line, std::int64_t spent) {
  change.sql().run(
      "UPDATE budgets SET reserved = reserved - ?4, spent = spent + ?5, changed_at = ?6"
      " WHERE scope = ?1 AND scope_key = ?2 AND unit = ?3",
      to_string(line.scope),
      line.key,
      to_string(line.unit),
      line.amount,
      spent,
      change.at());
  warn(change, task, attempt, line);
}

void release_reservations(run_change& change) {
  std::vector<budget_line> lines;
  {
    // From the reservations, which are few, to their tasks.
    auto row = change.sql().use(
        "SELECT b.scope, b.scope_key, b.unit, b.amount FROM budget_reservations AS b CROSS JOIN tasks AS t"
        " ON t.task_id = b.task_id WHERE t.run_id = ?",
        change.run());
    while (row.step()) {
      lines.push_back(line_of(row));
    }
  }
  if (lines.empty()) {
    return;
  }
  for (const auto& line : lines) {
    change.sql().run(
        "UPDATE budgets SET reserved = reserved - ?4, changed_at = ?5 WHERE scope = ?1 AND scope_key = ?2 AND unit = "
        "?3",
        to_string(line.scope),
        line.key,
        to_string(line.unit),
        line.amount,
        change.at());
  }
  change.sql().run("DELETE FROM budget_reservations WHERE task_id IN (SELECT task_id FROM tasks WHERE run_id = ?)",
                   change.run());
}

std::optional<error> find_overrun(statement_cache& sql, const known_rows& known, const run_id& run) {
  std::optional<error> found;
  for_each_above(sql, known, run, [&](const run_id& id, const run_row& row) {
    for (const auto unit : all_budget_units) {
      const budget_line line{budget_scope::run, id.str(), unit, 0};
      const auto ceiling = limit_of(row.budget, unit);
      const auto kept = ceiling && !found ? find_row(sql, line) : std::nullopt;
      if (kept && kept->spent > *ceiling) {
        found = refusal_of({line, *ceiling, 0, kept->spent});
      }
    }
  });
  return found;
}

}  // namespace troupe
