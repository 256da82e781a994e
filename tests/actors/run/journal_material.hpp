// A run that is carried out by its plan and recorded as storage records it, in any order of outcomes.
#pragma once

#include "messages/journal.hpp"
#include "tests/actors/run/plan_material.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

struct recorded_run {
  workflow_ptr flow;
  run_view run;
  std::vector<recorded_superstep> rows;

  recorded_superstep& at(std::int64_t superstep) { return rows.at(static_cast<std::size_t>(superstep)); }
  task_view& task(std::int64_t superstep, std::size_t order = 0) { return at(superstep).row.tasks.at(order); }
};

class journal_maker {
 public:
  /// What an attempt comes to; retrying ones are tried again at once.
  using outcomes = std::function<task_outcome(const attempt_order&)>;

  journal_maker(const workflow& flow, std::uint64_t seed, outcomes comes_to)
      : random_(seed), comes_to_(std::move(comes_to)), progress_(begin(flow)) {}

  /// To its end, or until `supersteps_max` are committed.
  recorded_run carry_out(std::int64_t supersteps_max = 1'000) {
    while (!is_over_ && made_.run.supersteps < supersteps_max) {
      if (!step_on()) {
        ADD_FAILURE() << "stuck";
        break;
      }
    }
    return std::move(made_);
  }

 private:
  plan begin(const workflow& flow) {
    made_.flow = std::make_shared<const workflow>(flow);
    const auto first = first_rows(flow, json_text{"{}"}, "river", the_run);
    made_.run.run = the_run;
    made_.run.subject = first->subject;
    made_.run.state = run_state::running;
    made_.run.state_hash = first->state_hash;
    auto& row = made_.rows.emplace_back();
    row.committed_at = next();
    row.front = "[]";
    row.state = first->initial_state;
    row.is_copy = true;
    row.row.state_hash = first->state_hash;
    auto rows = fresh_rows(flow);
    open(superstep_no{1}, first->standing, first->front, first->gates);
    rows.gates = live_gates();
    return planned(flow, rows);
  }

  timestamp next() { return timestamp{std::chrono::seconds{++second_}}; }

  void open(superstep_no superstep,
            const superstep_standing& standing,
            const std::vector<planned_task>& front,
            const std::vector<gate_opening>& gates) {
    auto& row = made_.rows.emplace_back();
    row.row.superstep = superstep;
    row.row.standing = standing;
    row.front = "[";
    for (const auto& task : front) {
      row.row.tasks.push_back(row_of(task));
      row.front += row.front.size() > 1 ? "," : "";
      row.front += "[\"" + task.step.str() + "\",\"" + task.agent.str() + "\"]";
    }
    row.front += ']';
    for (const auto& asked : gates) {
      auto& gate = gates_.emplace_back();
      gate.run = the_run;
      gate.asked = asked;
      gate.opened_at = next();
    }
  }

  std::vector<gate_view> live_gates() const {
    auto live = gates_;
    std::erase_if(live, [](const gate_view& gate) { return gate.taken_at.has_value(); });
    return live;
  }

  task_view& row_of_task(const task_id& task) {
    auto& tasks = made_.rows.back().row.tasks;
    return *std::ranges::find(tasks, task, &task_view::task);
  }

  void begin_attempt(const attempt_order& order) {
    row_of_task(order.task.id).attempt = order.attempt;
    auto& attempt = made_.rows.back().attempts.emplace_back();
    attempt.task = order.task.id;
    attempt.attempt = order.attempt;
    attempt.request_hash = "asked " + order.prompt;
    made_.run.steps += order.attempt.value() == 1 ? 1 : 0;
  }

  void end_task(task_view& row, const task_outcome& outcome) {
    row.state = outcome.state;
    row.value = outcome.value;
    row.deltas = outcome.deltas;
    row.why = outcome.why;
    row.route = outcome.route;
    row.finished_at = next();
  }

  void end_attempt(const attempt_order& order) {
    const auto outcome = comes_to_(order);
    auto& attempts = made_.rows.back().attempts;
    auto& attempt = *std::ranges::find_if(attempts, [&](const recorded_attempt& each) {
      return each.task == order.task.id && each.attempt == order.attempt;
    });
    attempt.state = outcome.state == task_state::retrying ? task_state::failed : outcome.state;
    attempt.why = outcome.why;
    attempt.has_output = true;
    attempt.standard_output = outcome.value ? outcome.value->str() : "";
    if (is_final(outcome.state)) {
      end_task(row_of_task(order.task.id), outcome);
    }
    progress_.finished(order.task.id, outcome, std::nullopt, row_of_task(order.task.id).finished_at);
    progress_.due(order.task.id);
  }

  // Whatever is wanted next, by chance.
  bool step_on() {
    for (auto& order : progress_.admit()) {
      begin_attempt(order);
      live_.push_back(std::move(order));
    }
    auto open_gates = std::vector<gate_view*>{};
    for (auto& gate : gates_) {
      if (gate.state == gate_state::open) {
        open_gates.push_back(&gate);
      }
    }
    if (!open_gates.empty() && (live_.empty() || random_() % 4 == 0) && !progress_.complete()) {
      decide(*open_gates[random_() % open_gates.size()]);
      return true;
    }
    if (!live_.empty()) {
      const auto at = live_.begin() + static_cast<std::ptrdiff_t>(random_() % live_.size());
      const auto order = *at;
      live_.erase(at);
      end_attempt(order);
      return true;
    }
    if (!progress_.complete()) {
      return false;
    }
    close();
    return true;
  }

  void decide(gate_view& gate) {
    const auto how = random_() % 4;
    gate.state = how == 0 ? gate_state::rejected : gate_state::approved;
    gate.decisions.push_back({"ann",
                              how == 0 ? gate_choice::rejected : gate_choice::approved,
                              how == 1 ? "fine" : "",
                              how == 2 ? std::optional{json_text{R"({"edited":true})"}} : std::nullopt,
                              {},
                              next()});
    progress_.learn(live_gates());
  }

  void close() {
    auto closed = progress_.close();
    closed.at = next();
    auto& row = made_.rows.back();
    for (const auto& each : closed.given_up) {
      task_outcome outcome;
      outcome.state = each.state;
      outcome.why = each.why;
      end_task(row_of_task(each.task), outcome);
    }
    for (auto& task : row.row.tasks) {
      if (!is_final(task.state)) {
        task_outcome outcome;
        outcome.state = task_state::cancelled;
        outcome.why = closed.end->why;
        end_task(task, outcome);
      }
    }
    for (auto& gate : gates_) {
      if (std::ranges::find(closed.taken, gate.asked.place) != closed.taken.end()) {
        gate.taken_at = closed.superstep;
      }
    }
    std::ranges::stable_sort(row.attempts, {}, [&](const recorded_attempt& attempt) {
      return std::pair{row_of_task(attempt.task).order, attempt.attempt};
    });
    row.row.deltas = closed.deltas;
    row.row.state_hash = closed.state_hash;
    row.row.idempotency_key = closed.idempotency_key;
    row.committed_at = closed.at;
    row.state = closed.state;
    made_.run.supersteps = closed.superstep.value();
    made_.run.state_hash = closed.state_hash;
    progress_.committed(closed);
    if (closed.end) {
      is_over_ = true;
      made_.run.state = closed.end->state;
      made_.run.why = closed.end->why;
      made_.run.failed_step = closed.end->failed_step;
    } else {
      open(superstep_no{closed.superstep.value() + 1}, closed.next, closed.next_front, closed.gates);
      progress_.learn(live_gates());
    }
    record_gates();
  }

  void record_gates() {
    for (auto& row : made_.rows) {
      row.opened.clear();
      row.row.taken.clear();
      for (const auto& gate : gates_) {
        if (gate.asked.place.superstep == row.row.superstep) {
          row.opened.push_back(gate);
        }
        if (gate.taken_at == row.row.superstep) {
          row.row.taken.push_back(gate);
        }
      }
    }
  }

  std::mt19937_64 random_;
  outcomes comes_to_;
  recorded_run made_;
  std::vector<gate_view> gates_;
  std::vector<attempt_order> live_;
  std::int64_t second_ = 0;
  bool is_over_ = false;
  plan progress_;  // last: it is begun from the others
};

}  // namespace troupe
