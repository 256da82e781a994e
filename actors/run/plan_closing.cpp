// The plan's closing of a superstep: verdicts, the new state, and what follows.
#include "actors/consensus/consensus.hpp"
#include "actors/json/json.hpp"
#include "actors/run/front.hpp"
#include "actors/run/merge.hpp"
#include "actors/run/order.hpp"
#include "actors/run/plan.hpp"
#include "messages/base/invariant.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <climits>
#include <utility>

namespace troupe {
namespace {

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

std::string configured_model(const executors& with, const agent_name& agent) {
  const auto found = with.agents.find(agent);
  return found == with.agents.end() ? std::string{} : found->second.model;
}

}  // namespace

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
    if (task.given_up) {
      closed.given_up.push_back({task.planned.id, task.outcome.state, *task.outcome.why});
    }
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

// In the order in which they came, those that have no answer last: who was first decides a race, and nothing else.
std::vector<agent_answer> plan::answers_of(std::span<const task_entry> tasks) {
  std::vector<const task_entry*> order;
  for (const auto& task : tasks) {
    order.push_back(&task);
  }
  if (policy_of(*tasks.front().declared).strategy == consensus_strategy::race) {
    const auto place = [](const task_entry* task) { return task->has_answered() ? task->finish_place : INT_MAX; };
    std::ranges::stable_sort(order, {}, place);
  }
  std::vector<agent_answer> answers;
  answers.reserve(order.size());
  for (const auto* task : order) {
    answers.push_back({task->planned.agent, task->outcome.value, task->outcome.why});
  }
  return answers;
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
  auto answers = answers_of(tasks);
  for (auto& answer : answers) {
    answer.model = configured_model(*with_, answer.agent);
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

}  // namespace troupe
