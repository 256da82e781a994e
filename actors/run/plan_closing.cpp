// The plan's closing of a superstep: verdicts, the new state, and what follows.
#include "actors/consensus/consensus.hpp"
#include "actors/json/json.hpp"
#include "actors/run/front.hpp"
#include "actors/run/merge.hpp"
#include "actors/run/order.hpp"
#include "actors/run/plan.hpp"
#include "messages/base/invariant.hpp"
#include "messages/degraded.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

// What the step of on_error sees as state.last_error.
json_text error_value(const step_id& step, const error& why) {
  boost::json::object value{{"code", to_string(why.code)}, {"message", why.message}, {"step", step.str()}};
  if (!why.hint.empty()) {
    value["hint"] = why.hint;
  }
  return canonical(value);
}

// A map has one result: the list of all of them. Its agent is asked once for each element. Values are canonical, and so is
// a list of them: nothing is parsed, since it may be large.
verdict verdict_of_items(const std::vector<agent_answer>& answers) {
  verdict reached;
  std::string values;
  for (const auto& answer : answers) {
    reached.asked.push_back(answer.agent);
    if (answer.value) {
      reached.answered.push_back(answer.agent);
      values += (values.empty() ? "" : ",") + answer.value->str();
    }
    if (answer.why_missing) {  // beside a value: somebody was missing in the child run that gave it
      reached.missing.push_back({answer.agent, *answer.why_missing});
    }
  }
  reached.quorum = static_cast<int>(answers.size());
  if (reached.answered.size() < answers.size()) {
    reached.status = verdict_status::insufficient;
    reached.why = std::ranges::find_if(answers, [](const agent_answer& answer) { return !answer.value; })->why_missing;
    return reached;
  }
  reached.degraded = !reached.missing.empty();
  reached.status = reached.degraded ? verdict_status::degraded : verdict_status::ok;
  reached.agreement = 1;
  reached.winner = json_text{'[' + values + ']'};
  return reached;
}

json_text text_of(const std::vector<task_delta>& deltas) {
  std::string list = "[";
  for (const auto& delta : deltas) {
    list += list.size() > 1 ? ",[" : "[";
    for (const auto* name : {&delta.step.str(), &delta.agent.str(), &delta.field.str()}) {
      append_json_string(list, *name);
      list += ',';
    }
    list += delta.value.str();
    list += ']';
  }
  return json_text{list + ']'};
}

std::string configured_model(const executors& with, const agent_name& agent) {
  const auto found = with.agents.find(agent);
  return found == with.agents.end() ? std::string{} : found->second.model;
}

}  // namespace

bool plan::degraded_after(const commit_superstep& closed) const {
  return degraded_ || std::ranges::any_of(closed.verdicts, leaves_somebody_out);
}

void plan::fail(commit_superstep& closed, const step_id& where, error why) const {
  closed.state = state_.text();
  closed.state_hash = state_hash(closed.state);
  closed.deltas = json_text{"[]"};
  closed.end = run_end{run_state::failed, degraded_after(closed), std::move(why), where};
}

commit_superstep plan::close() {
  invariant(complete(), "only a complete superstep is closed");
  commit_superstep closed;
  closed.run = run_;
  closed.superstep = superstep_;
  auto judged = judge_front();
  closed.verdicts = std::move(judged.verdicts);
  closed.taken = std::move(judged.taken);  // also where the run fails by it
  const auto fatal = std::ranges::find_if(judged.parts, [](const judged_part& part) { return part.fatal.has_value(); });
  if (fatal != judged.parts.end()) {
    fail(closed, fatal->fatal->step, std::move(fatal->fatal->why));
  } else {
    merge_into(closed, judged);
  }
  for (const auto& task : tasks_) {
    if (task.given_up) {
      closed.given_up.push_back({task.planned.id, task.outcome.state, *task.outcome.why});
    }
  }
  closed.idempotency_key = superstep_key(run_, superstep_, front_names(closed), closed.state);
  return closed;
}

// What this superstep was, for the key of EN-6.
std::vector<std::string> plan::front_names(const commit_superstep& closed) const {
  std::vector<std::string> names;
  for (const auto& at : steps_) {
    for (const auto& task : members(at)) {
      names.push_back(task.planned.step.str() + '/' + task.planned.agent.str() +
                      (task.planned.item ? '/' + std::to_string(*task.planned.item) : ""));
    }
    if (at.count == 0) {
      names.push_back(at.declared->id.str());
    }
  }
  for (const auto& place : closed.taken) {
    names.push_back(place.step.str() + "/gate/" + std::to_string(place.level));
  }
  return names;
}

plan::front_judgement plan::judge_front() const {
  front_judgement judged;
  for (const auto& at : steps_) {
    judge_step(judged, at);
  }
  judge_gates(judged);
  return judged;
}

// In the order in which they came, those that have no answer last: who was first decides a race, and nothing else.
std::vector<agent_answer> plan::answers_of(const open_step& at) const {
  const auto tasks = members(at);
  std::vector<const task_entry*> order;
  for (const auto& task : tasks) {
    order.push_back(&task);
  }
  if (policy_of(*at.declared).strategy == consensus_strategy::race) {
    std::ranges::stable_sort(order, {}, [](const task_entry* task) {
      return std::tuple{!task->has_answered(), task->finished_at.value_or(timestamp::max())};
    });
  }
  std::vector<agent_answer> answers;
  answers.reserve(order.size());
  for (const auto* task : order) {
    answers.push_back(
        {task->planned.agent, task->outcome.value, task->outcome.why, configured_model(*with_, task->planned.agent)});
  }
  return answers;
}

void plan::judge_step(front_judgement& judged, const open_step& at) const {
  const auto tasks = members(at);
  auto& part = judged.parts.emplace_back(judged_part{at.path});
  if (std::ranges::find(tasks, task_entry::phase::waiting, &task_entry::at) != tasks.end()) {
    part.fatal = {at.declared->id,
                  {error_code::max_steps_exceeded,
                   "the run may execute " + std::to_string(flow_->limits.max_steps) + " tasks, and has",
                   "raise limits.max_steps in the workflow"}};
  } else if (at.declared->gate) {
    end_step(part, at, automatic_decision());
  } else if (at.declared->map) {
    judge_items(judged, at);
  } else {
    judge_answers(judged, at);
  }
}

void plan::judge_answers(front_judgement& judged, const open_step& at) const {
  const auto& declared = *at.declared;
  const auto tasks = members(at);
  auto answers = answers_of(at);
  auto reached = reach(policy_of(declared), carriers(declared), answers);
  if (reached.winner) {
    end_step(judged.parts.back(), at, *reached.winner);
  } else if (declared.agents.size() <= 1 && tasks.front().outcome.why) {
    // Of a lone executor, its own error says more than a quorum of one.
    fail_step(judged.parts.back(), declared, *tasks.front().outcome.why);
  } else {
    fail_step(judged.parts.back(), declared, *reached.why);
  }
  judged.verdicts.push_back({declared.id, std::move(reached), std::move(answers)});
}

// All of them, in the order of the list, or none.
void plan::judge_items(front_judgement& judged, const open_step& at) const {
  const auto& declared = *at.declared;
  const auto tasks = members(at);
  if (items_of(*declared.map, state_) == nullptr) {
    fail_step(judged.parts.back(),
              declared,
              {error_code::invalid_input,
               "the map '" + declared.id.str() + "' goes over '" + declared.map->over + "', which is no list",
               "let an earlier step give a list, or declare one under [state]"});
    return;
  }
  const auto answers = answers_of(at);
  step_verdict told{declared.id, verdict_of_items(answers), answers};
  const auto missing = std::ranges::find_if(tasks, [](const task_entry& task) { return !task.has_answered(); });
  if (missing == tasks.end()) {
    end_step(judged.parts.back(), at, *told.reached.winner);
  } else {
    auto why = *missing->outcome.why;
    why.message = "element " + std::to_string(*missing->planned.item) + ": " + why.message;
    fail_step(judged.parts.back(), declared, std::move(why));
  }
  judged.verdicts.push_back(std::move(told));
}

// A step's result goes to its output field; a function's own deltas take its place.
void plan::end_step(judged_part& part, const open_step& at, const json_text& value) const {
  const auto& declared = *at.declared;
  const auto tasks = members(at);
  bool has_own = false;
  for (const auto& task : tasks) {
    for (const auto& delta : task.outcome.deltas) {
      part.deltas.push_back({declared.id, task.planned.agent, delta.field, delta.value, task.planned.item});
      has_own = true;
    }
  }
  if (!has_own) {
    const bool alone = tasks.size() == 1 && !declared.map;
    part.deltas.push_back({declared.id, alone ? tasks.front().planned.agent : agent_name{}, declared.output, value});
  }
  auto route = tasks.size() == 1 && !declared.map ? tasks.front().outcome.route : std::nullopt;
  part.ended = {&declared, at.path, false, std::move(route)};
}

void plan::fail_step(judged_part& part, const step& declared, error why) {
  if (declared.on_error) {
    part.deltas.push_back(
        {declared.id, agent_name{}, field_name{std::string{last_error_field}}, error_value(declared.id, why)});
    part.ended = {&declared, part.path, true};
  } else {
    part.fatal = {declared.id, std::move(why)};
  }
}

void plan::merge_into(commit_superstep& closed, front_judgement& judged) {
  std::vector<task_delta> deltas;
  for (auto& part : judged.parts) {
    std::ranges::move(part.deltas, std::back_inserter(deltas));
  }
  auto result = merge(state_.fields(), flow_->state, deltas);
  if (auto* refused = std::get_if<merge_refusal>(&result)) {
    fail(closed, refused->step, std::move(refused->why));
    return;
  }
  state_after_ = opened_fields{std::get<json_fields>(std::move(result))};
  closed.deltas = text_of(deltas);
  closed.state = state_after_->text();
  closed.state_hash = state_hash(closed.state);
  follow_into(closed, judged, *state_after_);
}

// What is done is kept, also where nothing can follow it.
void plan::follow_into(commit_superstep& closed, front_judgement& judged, const opened_fields& state) const {
  const auto stop = [&](const step_id& where, error why) {
    closed.next = {};
    closed.end = run_end{run_state::failed, degraded_after(closed), std::move(why), where};
  };
  std::vector<step_end> ended;
  std::vector<gate_again> again;
  for (auto& part : judged.parts) {
    if (part.ended) {
      ended.push_back(*std::move(part.ended));
    }
    if (part.again) {
      again.push_back(*std::move(part.again));
    }
  }
  auto followed = follow(*index_, ended, arrivals_, state);
  if (auto* refused = std::get_if<routing_refusal>(&followed)) {
    stop(refused->step, std::move(refused->why));
    return;
  }
  closed.next = std::get<superstep_standing>(std::move(followed));
  closed.next.idle = has_moved(closed) ? 0 : idle_ + 1;
  const superstep_no next{superstep_.value() + 1};
  const auto names = [&](const step& declared) {
    return prompt_names{*inputs_, closed.state, run_, subject_, declared.id};
  };
  auto reached = reach_gates(*index_, closed.next, again, next, names, state);
  if (auto* refused = std::get_if<routing_refusal>(&reached)) {
    stop(refused->step, std::move(refused->why));
    return;
  }
  closed.gates = std::get<std::vector<gate_opening>>(std::move(reached));
  closed.next_front = tasks_of(*flow_, run_, next, closed.next.steps, state);
  const bool goes_on = !closed.next.steps.empty() || !closed.gates.empty() || has_gate_beside(closed.taken);
  if (!goes_on && !closed.next.arrivals.empty()) {
    const auto join = closed.next.arrivals.front().join;
    stop(join, no_progress(*index_, closed.next.arrivals));
  } else if (!goes_on) {
    closed.end = run_end{run_state::completed, degraded_after(closed), std::nullopt, std::nullopt};
  } else if (closed.next.idle > std::ssize(flow_->steps) && !closed.next.steps.empty()) {  // one was passed twice
    const auto next_step = closed.next.steps.front().step;
    stop(next_step, goes_in_circles(closed.next.idle, next_step));
  }
}

// Something was executed, or somebody decided.
bool plan::has_moved(const commit_superstep& closed) const {
  return !closed.taken.empty() ||
         std::ranges::any_of(tasks_, [](const task_entry& task) { return task.attempt.value() > 0; });
}

// A step's gate that is open, or whose decision came too late for this superstep.
bool plan::has_gate_beside(const std::vector<gate_place>& taken) const {
  return std::ranges::any_of(gates_, [&](const gate_view& gate) {
    return gate.asked.kind == gate_kind::step && std::ranges::find(taken, gate.asked.place) == taken.end();
  });
}

}  // namespace troupe
