// What tests of the plan share: workflows, rows and outcomes in few words, and a text of all that a commit says.
#pragma once

#include "actors/run/plan.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

inline const run_id the_run{"r-1"};

inline step function_step(const std::string& id, const std::vector<std::string>& next = {}) {
  step made;
  made.id = step_id{id};
  made.function = function_call{"work", json_text{"{\"x\":1}"}};
  made.output = field_name{id};
  for (const auto& to : next) {
    made.next.push_back({step_id{to}, std::nullopt, {}});
  }
  return made;
}

inline step agent_step(const std::string& id,
                       const std::vector<std::string>& agents,
                       const std::vector<std::string>& next = {}) {
  auto made = function_step(id, next);
  made.function.reset();
  for (const auto& agent : agents) {
    made.agents.emplace_back(agent);
  }
  return made;
}

inline workflow flow_of(std::vector<step> steps) {
  workflow flow;
  flow.name = "flow";
  flow.start = steps.front().id;
  flow.steps = std::move(steps);
  return flow;
}

inline std::shared_ptr<const executors> known_executors() {
  auto with = std::make_shared<executors>();
  for (const auto* name : {"a", "b", "c"}) {
    agent_spec spec;
    spec.name = agent_name{name};
    spec.command = {name};
    spec.model = std::string{"model of "} + name;
    with->agents[spec.name] = spec;
  }
  with->functions["work"] = [](const function_request&) { return function_reply{}; };
  with->kill_grace = 1s;
  with->drain_grace = 3s;
  return with;
}

inline task_view row_of(const planned_task& task) {
  task_view row;
  row.task = task.id;
  row.run = the_run;
  row.superstep = task.superstep;
  row.step = task.step;
  row.agent = task.agent;
  row.order = task.order;
  row.item = task.item;
  row.order_key = task.order_key;
  return row;
}

inline recovery_view fresh_rows(const workflow& flow, const json_text& inputs = json_text{"{}"}) {
  const auto first = first_rows(flow, inputs, "river", the_run);
  recovery_view rows;
  rows.run.run = the_run;
  rows.run.subject = first->subject;
  rows.run.inputs = first->inputs;
  rows.run.result = first->initial_state;
  rows.superstep = superstep_no{1};
  rows.standing = first->standing;
  for (const auto& task : first->front) {
    rows.tasks.push_back(row_of(task));
  }
  return rows;
}

inline plan planned(const workflow& flow, const recovery_view& rows) {
  return *plan::restore(std::make_shared<const workflow>(flow), rows, known_executors());
}

inline plan planned(const workflow& flow) { return planned(flow, fresh_rows(flow)); }

inline task_outcome completed(const std::string& value, std::vector<field_delta> deltas = {}) {
  task_outcome outcome;
  outcome.value = json_text{value};
  outcome.found_by = "whole";
  outcome.deltas = std::move(deltas);
  return outcome;
}

inline task_outcome failed(error_code code = error_code::agent_exit) {
  task_outcome outcome;
  outcome.state = task_state::failed;
  outcome.why = error{code, "it failed", ""};
  return outcome;
}

inline task_outcome interrupted() {
  task_outcome outcome;
  outcome.state = task_state::interrupted;
  return outcome;
}

/// At `due`, or, without it, when the step has its quorum.
inline task_outcome retrying(std::optional<timestamp> due, error_code code = error_code::agent_exit) {
  auto outcome = failed(code);
  outcome.state = task_state::retrying;
  if (due) {
    outcome.retry = retry_wait{*due, milliseconds{1'000}};
  }
  return outcome;
}

inline std::string names(const std::vector<attempt_order>& orders) {
  std::string all;
  for (const auto& order : orders) {
    all += (all.empty() ? "" : " ") + order.task.step.str() + '/' + order.task.agent.str();
  }
  return all;
}

inline std::string names(const std::vector<planned_task>& front) {
  std::string all;
  for (const auto& task : front) {
    all += (all.empty() ? "" : " ") + task.step.str();
  }
  return all;
}

// Everything that a commit says.
inline std::string text(const commit_superstep& told) {
  std::string all = told.run.str() + ' ' + std::to_string(told.superstep.value()) + ' ' + told.deltas.str() + ' ' +
                    told.state.str() + ' ' + told.state_hash + ' ' + told.idempotency_key;
  for (const auto& verdict : told.verdicts) {
    all += "\n  " + verdict.step.str() + ' ' + std::string{to_string(verdict.reached.status)} + ' ' +
           (verdict.reached.winner ? verdict.reached.winner->str() : "none");
    for (const auto& answer : verdict.answers) {
      all += ' ' + answer.agent.str() + '=' + (answer.value ? answer.value->str() : answer.why_missing->message);
    }
  }
  for (const auto& task : told.next_front) {
    all += "\n  next " + task.id.str() + ' ' + std::to_string(task.order);
  }
  if (told.end) {
    all += "\n  end " + std::string{to_string(told.end->state)} + (told.end->degraded ? " degraded " : " ") +
           (told.end->why ? std::string{to_string(told.end->why->code)} + ": " + told.end->why->message : "") + ' ' +
           (told.end->failed_step ? told.end->failed_step->str() : "");
  }
  return all;
}

// Finishes every task of the superstep with this outcome, and closes it.
inline commit_superstep superstep(plan& progress, const std::map<std::string, task_outcome>& outcomes) {
  while (!progress.complete()) {
    for (const auto& order : progress.admit()) {
      const auto own = outcomes.find(order.task.step.str() + '/' + order.task.agent.str());
      const auto of_step = outcomes.find(order.task.step.str());
      progress.finished(order.task.id,
                        own != outcomes.end()       ? own->second
                        : of_step != outcomes.end() ? of_step->second
                                                    : completed("0"));
    }
  }
  return progress.close();
}

}  // namespace troupe
