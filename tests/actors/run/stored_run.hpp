// The rows of a run, as storage keeps them, for plans that crash and are restored.
#pragma once

#include "tests/actors/run/plan_material.hpp"

#include <algorithm>
#include <string>

namespace troupe {

class stored_run {
 public:
  explicit stored_run(const workflow& flow) : rows_(fresh_rows(flow)) {
    open(first_rows(flow, json_text{"{}"}, "", the_run)->gates);
  }

  const recovery_view& rows() const { return rows_; }
  const std::vector<gate_view>& gates() const { return rows_.gates; }

  void started(const attempt_order& order) {
    auto& row = row_of_task(order.task.id);
    row.state = task_state::running;
    row.attempt = order.attempt;
    rows_.run.steps += order.attempt.value() == 1 ? 1 : 0;
  }

  void finished(const task_id& task, const task_outcome& outcome) {
    auto& row = row_of_task(task);
    row.state = outcome.state;
    row.value = outcome.value;
    row.deltas = outcome.deltas;
    row.why = outcome.why;
    row.route = outcome.route;
    row.failures += outcome.state == task_state::retrying ? 1 : 0;
    row.degraded_tries += outcome.state == task_state::retrying && !outcome.retry ? 1 : 0;
    row.retry_at = outcome.retry ? std::optional{outcome.retry->due} : std::nullopt;
  }

  void decide(const gate_place& place, gate_state state, std::vector<gate_decision> decisions) {
    auto& gate = *std::ranges::find(rows_.gates, place, [](const gate_view& each) { return each.asked.place; });
    gate.state = state;
    gate.decisions = std::move(decisions);
  }

  void committed(const commit_superstep& told) {
    rows_.run.result = told.state;
    rows_.superstep = superstep_no{told.superstep.value() + 1};
    rows_.tasks.clear();
    rows_.standing = told.next;
    for (const auto& task : told.next_front) {
      rows_.tasks.push_back(row_of(task));
    }
    std::erase_if(rows_.gates, [&](const gate_view& gate) {
      return std::ranges::find(told.taken, gate.asked.place) != told.taken.end();
    });
    open(told.gates);
    for (const auto& verdict : told.verdicts) {
      const bool has_missing = verdict.reached.asked.size() > 1 || verdict.reached.winner;
      rows_.run.degraded = rows_.run.degraded || (verdict.reached.degraded && has_missing);
    }
  }

  void crashed() {
    for (auto& row : rows_.tasks) {
      row.state = row.state == task_state::running ? task_state::interrupted : row.state;
    }
  }

 private:
  task_view& row_of_task(const task_id& task) { return *std::ranges::find(rows_.tasks, task, &task_view::task); }

  void open(const std::vector<gate_opening>& questions) {
    for (const auto& asked : questions) {
      auto& gate = rows_.gates.emplace_back();
      gate.run = the_run;
      gate.asked = asked;
    }
  }

  recovery_view rows_;
};

}  // namespace troupe
