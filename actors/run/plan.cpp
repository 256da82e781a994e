#include "actors/run/plan.hpp"

#include "actors/consensus/consensus.hpp"
#include "actors/json/json.hpp"
#include "actors/run/merge.hpp"
#include "actors/run/order.hpp"
#include "actors/run/template_rendering.hpp"
#include "config/workflow_inputs.hpp"
#include "messages/base/invariant.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace troupe {
namespace {

// Who carries a step out: its agents, or its function under the function's name.
std::vector<agent_name> carriers(const step& declared) {
  return declared.function ? std::vector{agent_name{declared.function->name}} : declared.agents;
}

// Supersteps are numbered from 1; tasks within one by graph order, agents in the order of the file.
std::vector<planned_task> front_of(const workflow& flow,
                                   const run_id& run,
                                   superstep_no superstep,
                                   const std::vector<step_id>& steps) {
  std::vector<planned_task> front;
  for (const auto& id : steps) {
    const step* declared = find_step(flow, id);
    invariant(declared != nullptr, "routes lead to steps that exist");
    for (const auto& carrier : carriers(*declared)) {
      front.push_back(
          {make_task_id(run, superstep, id, carrier), superstep, id, carrier, static_cast<std::int64_t>(front.size())});
    }
  }
  return front;
}

// The steps that follow, by the order of their paths: those of the first step first. One reached twice runs once.
std::vector<step_id> followers(const workflow& flow, const std::vector<step_id>& done) {
  std::vector<step_id> next;
  std::set<step_id> seen;
  for (const auto& id : done) {
    for (const auto& route : find_step(flow, id)->next) {
      if (seen.insert(route.to).second) {
        next.push_back(route.to);
      }
    }
  }
  return next;
}

json_text text_of(const std::vector<task_delta>& deltas) {
  boost::json::array list;
  for (const auto& delta : deltas) {
    list.push_back({boost::json::value(delta.step.str()),
                    boost::json::value(delta.agent.str()),
                    boost::json::value(delta.field.str()),
                    parse(delta.value)});
  }
  return canonical(list);
}

consensus_policy policy_of(const step& declared) { return declared.consensus.value_or(consensus_policy{}); }

// The key of the milestone of EN-6: what this superstep was, and what it made.
std::string key_of(const run_id& run,
                   const std::vector<planned_task>& front,
                   superstep_no superstep,
                   const json_text& state) {
  std::vector<std::string> tasks;
  tasks.reserve(front.size());
  for (const auto& task : front) {
    tasks.push_back(task.step.str() + '/' + task.agent.str());
  }
  return superstep_key(run, superstep, tasks, state);
}

}  // namespace

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
  if (find_step(flow, flow.start) == nullptr) {
    return error{error_code::invalid_workflow, "the start step '" + flow.start.str() + "' does not exist", ""};
  }
  rows.front = front_of(flow, run, superstep_no{1}, {flow.start});
  return rows;
}

result<plan> plan::restore(workflow_ptr flow, const recovery_view& rows, std::shared_ptr<const executors> with) {
  plan made;
  made.flow_ = std::move(flow);
  made.with_ = std::move(with);
  made.run_ = rows.run.run;
  made.subject_ = rows.run.subject;
  made.inputs_ = std::make_shared<const json_text>(rows.run.inputs);
  made.state_ = std::make_shared<const json_text>(rows.run.result);
  made.superstep_ = rows.superstep;
  made.degraded_ = rows.run.degraded;
  made.executed_ = rows.run.steps;
  for (const auto& row : rows.tasks) {
    const step* declared = find_step(*made.flow_, row.step);
    if (declared == nullptr) {
      return error{
          error_code::internal, "the run's rows name a step '" + row.step.str() + "' that is not declared", ""};
    }
    auto& task = made.tasks_.emplace_back();
    task.planned = {row.task, row.superstep, row.step, row.agent, row.order};
    task.declared = declared;
    task.attempt = row.attempt;
    if (is_final(row.state)) {
      task.at = task_entry::phase::over;
      task.outcome = {row.state, row.value, "", row.deltas, std::nullopt, row.why};
    } else if (row.attempt.value() > 0) {
      --made.executed_;  // it was admitted once, and will be admitted again: one execution
    }
  }
  return made;
}

int plan::running() const noexcept {
  return static_cast<int>(std::ranges::count(tasks_, task_entry::phase::admitted, &task_entry::at));
}

bool plan::exhausted() const { return flow_->limits.max_steps > 0 && executed_ >= flow_->limits.max_steps; }

std::vector<attempt_order> plan::admit() {
  std::vector<attempt_order> orders;
  int busy = running();
  for (auto& task : tasks_) {
    if (busy >= flow_->limits.max_concurrent || exhausted()) {
      break;
    }
    if (task.at == task_entry::phase::waiting) {
      task.at = task_entry::phase::admitted;
      task.attempt = attempt_no{task.attempt.value() + 1};
      ++executed_;
      ++busy;
      orders.push_back(order_of(task));
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
  order.state = state_;
  order.inputs = inputs_;
  order.seed = task_seed(run_, task.planned.id, task.attempt);
  order.limits = {declared.timeout, with_->kill_grace, with_->drain_grace};
  if (declared.function) {
    order.spec.kind = agent_kind::function;
    order.spec.name = task.planned.agent;
    order.args = declared.function->args;
    if (const auto found = with_->functions.find(declared.function->name); found != with_->functions.end()) {
      order.call = found->second;
    } else {
      order.refused = error{error_code::not_found,
                            "no function '" + declared.function->name + "' is registered",
                            "register it with the host that goes on with this run"};
    }
  } else if (const auto found = with_->agents.find(task.planned.agent); found != with_->agents.end()) {
    order.spec = found->second;
  } else {
    order.refused = error{error_code::not_found, "no agent '" + task.planned.agent.str() + "' is configured", ""};
  }
  auto prompt = render_prompt(declared.prompt, {*inputs_, *state_, run_, subject_, declared.id});
  if (prompt) {
    order.prompt = *std::move(prompt);
  } else if (!order.refused) {
    order.refused = prompt.error();
  }
  return order;
}

plan::task_entry& plan::entry(const task_id& id) {
  const auto found = std::ranges::find(tasks_, id, [](const task_entry& task) { return task.planned.id; });
  invariant(found != tasks_.end(), "outcomes are of tasks of the open superstep");
  return *found;
}

void plan::finished(const task_id& task, task_outcome outcome) {
  auto& ended = entry(task);
  if (ended.at != task_entry::phase::over) {
    ended.at = task_entry::phase::over;
    ended.outcome = std::move(outcome);
  }
}

void plan::put_back(const task_id& task) {
  auto& interrupted = entry(task);
  if (interrupted.at == task_entry::phase::admitted) {
    interrupted.at = task_entry::phase::waiting;
    --executed_;
  }
}

bool plan::complete() const {
  const auto waiting = std::ranges::count(tasks_, task_entry::phase::waiting, &task_entry::at);
  return running() == 0 && (waiting == 0 || exhausted());
}

// A step of one agent that failed has nobody missing: it failed.
bool plan::degraded_after(const commit_superstep& closed) const {
  return degraded_ || std::ranges::any_of(closed.verdicts, [](const step_verdict& verdict) {
           return verdict.reached.degraded && verdict.reached.asked.size() > 1;
         });
}

void plan::fail(commit_superstep& closed, const step_id& where, error why) const {
  closed.state = *state_;
  closed.state_hash = state_hash(closed.state);
  closed.deltas = json_text{"[]"};
  closed.next_front.clear();
  closed.end = run_end{run_state::failed, degraded_after(closed), std::move(why), where};
}

commit_superstep plan::close() const {
  invariant(complete(), "only a complete superstep is closed");
  commit_superstep closed;
  closed.run = run_;
  closed.superstep = superstep_;
  auto judged = judge_front();
  closed.verdicts = std::move(judged.verdicts);
  if (judged.why) {
    fail(closed, judged.failed_step, *judged.why);
  } else {
    merge_into(closed, judged.deltas);
  }
  std::vector<planned_task> front;
  front.reserve(tasks_.size());
  for (const auto& task : tasks_) {
    front.push_back(task.planned);
  }
  closed.idempotency_key = key_of(run_, front, superstep_, closed.state);
  return closed;
}

plan::front_judgement plan::judge_front() const {
  front_judgement judged;
  for (auto first = tasks_.begin(); first != tasks_.end();) {
    const auto last = std::find_if(
        first, tasks_.end(), [&](const task_entry& task) { return task.planned.step != first->planned.step; });
    judge_step(judged, std::span{first, last});
    first = last;
  }
  return judged;
}

void plan::judge_step(front_judgement& judged, std::span<const task_entry> tasks) const {
  const auto& declared = *tasks.front().declared;
  const auto failed = [&](const error& why) {
    if (!judged.why) {
      judged.why = why;
      judged.failed_step = declared.id;
    }
  };
  if (std::ranges::find(tasks, task_entry::phase::waiting, &task_entry::at) != tasks.end()) {
    failed({error_code::max_steps_exceeded,
            "the run may execute " + std::to_string(flow_->limits.max_steps) + " tasks, and has",
            "raise limits.max_steps in the workflow"});
    return;
  }
  std::vector<agent_answer> answers;
  for (const auto& task : tasks) {
    answers.push_back({task.planned.agent, task.outcome.value, task.outcome.why});
  }
  auto reached = reach(policy_of(declared), carriers(declared), answers);
  if (reached.winner) {
    add_deltas(judged.deltas, declared, tasks, *reached.winner);
  } else if (declared.agents.size() <= 1 && tasks.front().outcome.why) {
    failed(*tasks.front().outcome.why);  // of a lone executor, its own error says more than a quorum of one
  } else {
    failed(*reached.why);
  }
  judged.verdicts.push_back({declared.id, std::move(reached), std::move(answers)});
}

// A step's result goes to its output field; a function's own deltas take its place.
void plan::add_deltas(std::vector<task_delta>& deltas,
                      const step& declared,
                      std::span<const task_entry> tasks,
                      const json_text& winner) {
  const auto& first = tasks.front();
  for (const auto& delta : first.outcome.deltas) {
    deltas.push_back({declared.id, first.planned.agent, delta.field, delta.value});
  }
  if (first.outcome.deltas.empty()) {
    const auto& who = tasks.size() == 1 ? first.planned.agent : agent_name{};
    deltas.push_back({declared.id, who, declared.output, winner});
  }
}

void plan::merge_into(commit_superstep& closed, const std::vector<task_delta>& deltas) const {
  auto result = merge(parse(*state_).as_object(), flow_->state, deltas);
  if (auto* refused = std::get_if<merge_refusal>(&result)) {
    fail(closed, refused->step, std::move(refused->why));
    return;
  }
  closed.deltas = text_of(deltas);
  closed.state = canonical(std::get<boost::json::object>(result));
  closed.state_hash = state_hash(closed.state);
  std::vector<step_id> steps;
  for (const auto& task : tasks_) {
    if (steps.empty() || steps.back() != task.planned.step) {
      steps.push_back(task.planned.step);
    }
  }
  const superstep_no next{superstep_.value() + 1};
  closed.next_front = front_of(*flow_, run_, next, followers(*flow_, steps));
  if (closed.next_front.empty()) {
    closed.end = run_end{run_state::completed, degraded_after(closed), std::nullopt, std::nullopt};
  }
}

void plan::committed(const commit_superstep& closed) {
  degraded_ = degraded_after(closed);
  if (closed.end) {
    return;
  }
  state_ = std::make_shared<const json_text>(closed.state);
  superstep_ = superstep_no{closed.superstep.value() + 1};
  tasks_.clear();
  for (const auto& task : closed.next_front) {
    auto& opened = tasks_.emplace_back();
    opened.planned = task;
    opened.declared = find_step(*flow_, task.step);
  }
}

}  // namespace troupe
