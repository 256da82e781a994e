#include "actors/run/plan.hpp"

#include "actors/json/json.hpp"
#include "actors/run/aggregation.hpp"
#include "actors/run/child_inputs.hpp"
#include "actors/run/front.hpp"
#include "actors/run/order.hpp"
#include "actors/run/template_rendering.hpp"
#include "config/workflow_inputs.hpp"
#include "messages/base/invariant.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {
namespace {

// Tokens are counted before a provider has counted them: four bytes to one is what providers themselves advise.
constexpr std::int64_t bytes_of_token = 4;
constexpr std::int64_t output_tokens_expected = 1'000;

error undeclared(const step_id& step) {
  return {error_code::internal, "the run's rows name a step '" + step.str() + "' that is not declared so", ""};
}

std::vector<planned_task> planned_of(const std::vector<task_view>& rows) {
  std::vector<planned_task> tasks;
  tasks.reserve(rows.size());
  for (const auto& row : rows) {
    tasks.push_back({row.task, row.superstep, row.step, row.agent, row.order, row.item, row.order_key});
  }
  return tasks;
}

}  // namespace

task_outcome outcome_of(const task_view& row) {
  task_outcome outcome{row.state, row.value, "", row.deltas, std::nullopt, row.why};
  outcome.route = row.route;
  if (row.retry_at) {
    outcome.retry = retry_wait{*row.retry_at};
  }
  return outcome;
}

result<create_run> first_rows(const workflow& flow,
                              const json_text& inputs,
                              const std::string& subject,
                              const run_id& run) {
  create_run rows;
  rows.run = run;
  rows.workflow_name = flow.name;
  rows.workflow_hash = flow.hash;
  rows.workflow_source = flow.source;
  rows.subject = subject.empty() ? flow.name : subject;
  rows.inputs = inputs;
  rows.initial_state = initial_state(flow);
  rows.state_hash = state_hash(rows.initial_state);
  rows.wall_clock = flow.limits.wall_clock;
  const step_index steps{flow};
  const auto* start = steps.find(flow.start);
  if (start == nullptr) {
    return error{error_code::invalid_workflow, "the start step '" + flow.start.str() + "' does not exist", ""};
  }
  rows.standing.steps.push_back({flow.start, {}});
  const auto state = opened_fields::of(rows.initial_state);
  const auto names = [&](const step& declared) {
    return prompt_names{rows.inputs, rows.initial_state, run, rows.subject, declared.id};
  };
  auto reached = reach_gates(steps, rows.standing, {}, superstep_no{1}, names, state);
  if (auto* refused = std::get_if<routing_refusal>(&reached)) {
    return std::move(refused->why);
  }
  rows.gates = std::get<std::vector<gate_opening>>(std::move(reached));
  rows.front = tasks_of(flow, run, superstep_no{1}, rows.standing.steps, state);
  rows.budget = flow.limits.budget;
  return rows;
}

namespace {

template <class Amount>
void take_from(std::optional<Amount>& left, Amount used) {
  if (left) {
    left = std::max(*left - used, Amount{});
  }
}

void take_from(budget_limits& left, std::int64_t microusd, std::int64_t tokens, std::chrono::microseconds time) {
  take_from(left.microusd, microusd);
  take_from(left.tokens, tokens);
  take_from(left.time, time);
}

}  // namespace

result<plan> plan::restore(workflow_ptr flow, const recovery_view& rows, std::shared_ptr<const executors> with) {
  plan made;
  made.flow_ = std::move(flow);
  made.with_ = std::move(with);
  made.run_ = rows.run.run;
  made.subject_ = rows.run.subject;
  made.inputs_ = std::make_shared<const json_text>(rows.run.inputs);
  auto state = json_fields::from(rows.run.result);
  if (!state) {
    return error{error_code::internal, "the run's state is no JSON object", "`troupe db check` tells more"};
  }
  made.enter(opened_fields{*std::move(state)});
  made.superstep_ = rows.superstep;
  made.degraded_ = rows.run.degraded;
  const auto begun = std::ranges::count_if(rows.tasks, [](const task_view& row) { return row.attempt.value() > 0; });
  made.executed_ = rows.run.steps - begun;
  made.left_ = rows.budget;
  take_from(made.left_, rows.run.cost_microusd, rows.run.input_tokens + rows.run.output_tokens, rows.run.attempt_time);
  made.deadline_ = rows.deadline;
  made.index_ = std::make_shared<const step_index>(*made.flow_);
  made.gates_ = rows.gates;
  made.arrivals_ = rows.standing.arrivals;
  made.idle_ = rows.standing.idle;
  for (const auto& at : rows.standing.steps) {
    if (made.index_->find(at.step) == nullptr) {
      return undeclared(at.step);
    }
  }
  for (const auto& row : rows.tasks) {
    if (made.index_->find(row.step) == nullptr) {
      return undeclared(row.step);
    }
  }
  for (const auto& arrival : rows.standing.arrivals) {
    const auto* join = made.index_->find(arrival.join);
    if (join == nullptr || join->join.empty()) {
      return undeclared(arrival.join);
    }
  }
  for (const auto& gate : rows.gates) {
    const auto& place = gate.asked.place;
    const auto* asks = made.index_->find(place.step);
    const bool is_known =
        asks != nullptr && (gate.asked.kind == gate_kind::crash ||
                            (asks->gate && place.level >= 1 && place.level <= std::ssize(asks->gate->levels)));
    if (!is_known) {
      return undeclared(place.step);
    }
  }
  made.open(rows.standing, planned_of(rows.tasks));
  for (std::size_t i = 0; i < rows.tasks.size(); ++i) {
    made.learn(made.tasks_[i], rows.tasks[i]);
  }
  made.settle();
  return made;
}

void plan::enter(opened_fields state) {
  state_ = std::move(state);
  state_text_ = std::make_shared<const json_text>(state_.text());
}

// Each step with its tasks, which are in the order of the steps.
void plan::open(const superstep_standing& standing, const std::vector<planned_task>& tasks) {
  steps_.clear();
  tasks_.clear();
  tasks_.reserve(tasks.size());
  for (const auto& at : standing.steps) {
    auto& opened = steps_.emplace_back();
    opened.path = at.path;
    opened.declared = index_->find(at.step);
    opened.first = tasks_.size();
    const auto* list = opened.declared->map ? items_of(*opened.declared->map, state_) : nullptr;
    while (tasks_.size() < tasks.size() && tasks[tasks_.size()].step == at.step) {
      auto& entry = tasks_.emplace_back();
      entry.planned = tasks[tasks_.size() - 1];
      entry.declared = opened.declared;
      if (entry.planned.item && list != nullptr) {
        entry.item = canonical(list->at(static_cast<std::size_t>(*entry.planned.item)));
      }
    }
    opened.count = tasks_.size() - opened.first;
  }
  invariant(tasks_.size() == tasks.size(), "each task is of a step of its superstep");
  places_.clear();
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    places_.emplace(tasks_[i].planned.id, i);
  }
  bar();
}

void plan::learn(task_entry& task, const task_view& row) {
  task.attempt = row.attempt;
  task.failures = static_cast<int>(row.failures);
  task.degraded_tries = static_cast<int>(row.degraded_tries);
  task.first_started = row.first_started;
  task.finished_at = row.finished_at;
  step_of(task).has_begun = step_of(task).has_begun || row.attempt.value() > 0;
  if (is_final(row.state)) {
    task.at = task_entry::phase::over;
    task.outcome = outcome_of(row);
  } else if (row.state == task_state::retrying) {
    task.at = row.retry_at ? task_entry::phase::delayed : task_entry::phase::parked;
    task.retry_at = row.retry_at;
    task.outcome.why = row.why;
  } else if (row.attempt.value() > 0) {  // whoever goes on with a run has queued it again
    settle_interrupted(task);
  }
}

int plan::running() const noexcept {
  return static_cast<int>(std::ranges::count(tasks_, task_entry::phase::admitted, &task_entry::at));
}

// Invariant 1. By graph order, and not by who is there first: a map that lets few of its elements run at once would
// leave its place to the steps behind it. Who was given up before it began leaves its place.
void plan::bar() {
  bar_moves_ = false;
  barred_ = tasks_.size();
  auto left = flow_->limits.max_steps - executed_;
  for (std::size_t i = 0; flow_->limits.max_steps > 0 && i < tasks_.size(); ++i) {
    if (left <= 0) {
      barred_ = i;
      return;
    }
    left -= tasks_[i].is_over() && tasks_[i].attempt.value() == 0 ? 0 : 1;
  }
}

// Tries of a task are one execution of it.
bool plan::is_barred(const task_entry& task) const {
  return task.attempt.value() == 0 && static_cast<std::size_t>(&task - tasks_.data()) >= barred_;
}

bool plan::may_begin(const task_entry& task) const {
  const bool may = task.at == task_entry::phase::waiting && !is_barred(task);
  return may && (!is_aggregator(*task.declared, task.planned.agent) ||
                 std::ranges::all_of(tasks_, [&](const task_entry& other) {
                   return &other == &task || other.declared != task.declared || other.is_over();
                 }));
}

bool plan::may_admit() const {
  if (running() >= flow_->limits.max_concurrent) {
    return false;
  }
  return std::ranges::any_of(steps_, [&](const open_step& at) {
    const auto tasks = members(at);
    return room_of(at) > 0 && std::ranges::any_of(tasks, [&](const task_entry& task) { return may_begin(task); });
  });
}

int plan::room_of(const open_step& at) const {
  const int most = at.declared->map ? at.declared->map->max_concurrent : 0;
  const auto tasks = members(at);
  return most > 0 ? most - static_cast<int>(std::ranges::count(tasks, task_entry::phase::admitted, &task_entry::at))
                  : std::numeric_limits<int>::max();
}

std::vector<attempt_order> plan::admit() {
  std::vector<attempt_order> orders;
  int busy = running();
  for (auto& at : steps_) {
    int room = room_of(at);
    for (auto& task : members(at)) {
      if (busy >= flow_->limits.max_concurrent) {
        return orders;
      }
      if (room > 0 && may_begin(task)) {
        task.at = task_entry::phase::admitted;
        task.stop_told = false;
        task.question_told = false;
        task.attempt = attempt_no{task.attempt.value() + 1};
        ++busy;
        --room;
        orders.push_back(order_of(task));
      }
    }
  }
  return orders;
}

attempt_order plan::order_of(const task_entry& task) const {
  const auto& declared = *task.declared;
  attempt_order order;
  order.run = run_;
  order.subject = subject_;
  order.task = task.planned;
  order.attempt = task.attempt;
  order.state = state_text_;
  order.inputs = inputs_;
  order.seed = task_seed(run_, task.planned.id, task.attempt);
  order.limits = {declared.timeout, with_->kill_grace, with_->drain_grace};
  order.retry = declared.retry.value_or(with_->retry);
  order.failures = task.failures;
  order.first_started = task.first_started;
  if (task.failures > 0 && task.outcome.why) {
    order.failed_as = task.outcome.retry || task.retry_at ? class_of(task.outcome.why->code) : error_class::degraded;
  }
  const auto policy = policy_of(declared);
  order.waits_for_quorum = is_one_of_several(declared, task.planned.agent) &&
                           policy.strategy != consensus_strategy::race && task.degraded_tries < policy.retry_degraded;
  order.races = policy.strategy == consensus_strategy::race && is_one_of_several(declared, task.planned.agent);
  order.item = task.item;
  order.prices = with_->prices;
  order.budget = left_;
  order.deadline = deadline_;
  add_executor(order, task);
  auto prompt = prompt_of(task);
  if (prompt) {
    order.prompt = *std::move(prompt);
  } else if (!order.refused) {
    order.refused = prompt.error();
  }
  order.estimate = {static_cast<std::int64_t>(order.prompt.size()) / bytes_of_token,
                    order.spec.max_tokens > 0 ? order.spec.max_tokens : output_tokens_expected};
  return order;
}

void plan::add_executor(attempt_order& order, const task_entry& task) const {
  const auto& declared = *task.declared;
  if (const auto* call = function_of(declared)) {
    add_function(order, *call);
  } else if (declared.map && declared.map->flow) {
    add_child(order, task);
  } else {
    add_agent(order, task);
  }
}

void plan::add_function(attempt_order& order, const function_call& call) const {
  order.spec.kind = agent_kind::function;
  order.spec.name = agent_name{call.name};
  order.args = call.args;
  if (const auto found = with_->functions.find(call.name); found != with_->functions.end()) {
    order.call = found->second;
  } else {
    order.refused = error{error_code::not_found,
                          "no function '" + call.name + "' is registered",
                          "register it with the host that goes on with this run"};
  }
}

void plan::add_agent(attempt_order& order, const task_entry& task) const {
  const auto found = with_->agents.find(task.planned.agent);
  if (found == with_->agents.end()) {
    order.refused = error{error_code::not_found, "no agent '" + task.planned.agent.str() + "' is configured", ""};
    return;
  }
  order.spec = found->second;
  if (crash_policy_of(*task.declared) == crash_policy::ask) {
    order.spec.effects = effect_kind::external;  // as the step says, whatever the agent says of itself
  }
  if (is_aggregator(*task.declared, task.planned.agent)) {
    if (order.spec.reading.answer.empty()) {
      order.spec.parse = output_format::json;
    } else {
      order.spec.reading.answer_parse = answer_format::json;
    }
    const auto& required = task.declared->consensus->required;
    order.spec.require.insert(order.spec.require.end(), required.begin(), required.end());
  }
}

// The steps of a child run try again as they declare. The whole of it is tried again only where this step says so.
void plan::add_child(attempt_order& order, const task_entry& task) const {
  const auto& map = *task.declared->map;
  order.spec.kind = agent_kind::workflow;
  order.spec.name = task.planned.agent;
  order.child = map.flow;
  if (!task.declared->retry) {
    order.retry.max_attempts = 1;
  }
  auto inputs = child_inputs(*map.flow, map.as, task.item.value_or(json_text{}), *inputs_);
  if (inputs) {
    order.inputs = std::make_shared<const json_text>(*std::move(inputs));
  } else {
    order.refused = inputs.error();
  }
}

prompt_names plan::names_of(const step& declared) const {
  return {*inputs_, *state_text_, run_, subject_, declared.id};
}

result<std::string> plan::prompt_of(const task_entry& task) const {
  const auto& declared = *task.declared;
  if (is_aggregator(declared, task.planned.agent)) {
    std::vector<agent_answer> members;
    for (const auto& other : tasks_) {
      if (other.declared == task.declared && &other != &task) {
        members.push_back({other.planned.agent, other.outcome.value, other.outcome.why});
      }
    }
    const auto outputs = outputs_object(members);
    const auto& own = declared.consensus->aggregate_prompt;
    auto names = names_of(declared);
    names.outputs = &outputs;
    return render_prompt(own.empty() ? default_aggregate_prompt() : own, names);
  }
  auto names = names_of(declared);
  if (task.item) {
    names.item_name = declared.map->as;
    names.item = &*task.item;
  }
  return render_prompt(declared.prompt, names);
}

plan::task_entry& plan::entry(const task_id& id) {
  const auto found = places_.find(id);
  invariant(found != places_.end(), "outcomes are of tasks of the open superstep");
  return tasks_[found->second];
}

void plan::begun(const task_id& task) { step_of(entry(task)).has_begun = true; }

void plan::finished(const task_id& task,
                    task_outcome outcome,
                    std::optional<timestamp> began,
                    std::optional<timestamp> at) {
  auto& ended = entry(task);
  if (ended.is_over()) {
    return;
  }
  if (!ended.first_started) {
    ended.first_started = began;
  }
  const auto cost = outcome.cost.value_or(attempt_cost{});
  take_from(left_, cost.microusd.value_or(0), cost.input_tokens + cost.output_tokens, outcome.took.value_or(0us));
  switch (outcome.state) {
    case task_state::interrupted:
      settle_interrupted(ended);
      break;
    case task_state::retrying:
      ++ended.failures;
      ended.degraded_tries += outcome.retry ? 0 : 1;
      ended.at = outcome.retry ? task_entry::phase::delayed : task_entry::phase::parked;
      ended.outcome = std::move(outcome);
      break;
    case task_state::completed:
    case task_state::failed:
    case task_state::cancelled:
      ended.at = task_entry::phase::over;
      ended.outcome = std::move(outcome);
      ended.finished_at = at;
      break;
    case task_state::pending:
    case task_state::queued:
    case task_state::running:
    case task_state::validating:
      invariant(false, "an attempt ends as one that has ended");
  }
  settle_step_of(ended);
}

void plan::hold(const task_id& task) {
  auto& held = entry(task);
  invariant(held.at == task_entry::phase::admitted, "only what was admitted is held");
  held.at = task_entry::phase::delayed;
  held.attempt = attempt_no{held.attempt.value() - 1};
  settle();
}

void plan::blocked(const task_id& task) {
  auto& held = entry(task);
  if (held.at == task_entry::phase::waiting) {
    held.at = task_entry::phase::blocked;
  }
}

void plan::unblocked(const task_id& task) { wake(task, task_entry::phase::blocked); }

void plan::due(const task_id& task) { wake(task, task_entry::phase::delayed); }

void plan::wake(const task_id& task, task_entry::phase from) {
  const auto found = places_.find(task);
  if (found != places_.end() && tasks_[found->second].at == from) {
    tasks_[found->second].at = task_entry::phase::waiting;
  }
}

std::vector<plan::retry_at> plan::retries() const {
  std::vector<retry_at> waiting;
  for (const auto& task : tasks_) {
    if (task.at == task_entry::phase::delayed && task.retry_at) {
      waiting.push_back({task.planned.id, *task.retry_at});
    }
  }
  return waiting;
}

bool plan::complete() const {
  const bool has_something = !steps_.empty() || has_decision();
  return has_something && std::ranges::none_of(tasks_, [&](const task_entry& task) {
           return may_still_answer(task) || task.at == task_entry::phase::parked;
         });
}

void plan::committed(const commit_superstep& closed) {
  degraded_ = degraded_after(closed);
  if (closed.end) {
    return;
  }
  executed_ += std::ranges::count_if(tasks_, [](const task_entry& task) { return task.attempt.value() > 0; });
  enter(state_after_ && state_after_->text() == closed.state ? *std::exchange(state_after_, std::nullopt)
                                                             : opened_fields::of(closed.state));
  superstep_ = superstep_no{closed.superstep.value() + 1};
  stops_.clear();
  arrivals_ = closed.next.arrivals;
  idle_ = closed.next.idle;
  std::erase_if(gates_, [&](const gate_view& gate) {
    return gate.asked.kind == gate_kind::crash ||
           std::ranges::find(closed.taken, gate.asked.place) != closed.taken.end();
  });
  for (const auto& asked : closed.gates) {
    auto& gate = gates_.emplace_back();
    gate.run = run_;
    gate.asked = asked;
    gate.opened_at = closed.at;
    gate.expires_at = asked.expires ? std::optional{closed.at + *asked.expires} : std::nullopt;
  }
  open(closed.next, closed.next_front);
}

}  // namespace troupe
