// What people decide: the plan's part about gates and about tasks that were interrupted.
#include "actors/json/json.hpp"
#include "actors/run/conditions.hpp"
#include "actors/run/front.hpp"
#include "actors/run/plan.hpp"
#include "messages/base/invariant.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

error interrupted_error(std::string_view why) {
  return {error_code::interrupted,
          "its process ended while it ran, and " + std::string{why},
          "whether its work was done is not known: look before you run it again"};
}

// What is open is asked in plain words, since the prompt of the step may be long, or not for people.
std::string question_about(const task_id& task, attempt_no attempt) {
  return "Attempt " + std::to_string(attempt.value()) + " of task " + task.str() +
         " was cut off, and has effects outside that may have been done. Approve to run it again, reject to let it "
         "fail.";
}

}  // namespace

// A child run that was left goes on where its rows stand: nothing of it is done twice. What its own tasks do after a crash,
// their steps say.
crash_policy plan::crash_policy_of(const step& declared) const {
  if (declared.map && declared.map->flow) {
    return crash_policy::retry;
  }
  if (declared.on_crash) {
    return *declared.on_crash;
  }
  const auto is_external = [&](const agent_name& name) {
    const auto found = with_->agents.find(name);
    return found != with_->agents.end() && found->second.effects == effect_kind::external;
  };
  const auto who = carriers(declared);
  const bool external =
      declared.effects ? *declared.effects == effect_kind::external : std::ranges::any_of(who, is_external);
  return external ? crash_policy::ask : crash_policy::retry;
}

const gate_view* plan::crash_gate_of(const task_entry& task) const {
  const auto found = std::ranges::find_if(gates_, [&](const gate_view& gate) {
    return gate.asked.kind == gate_kind::crash && gate.asked.place.task == task.planned.id &&
           gate.asked.place.level == task.attempt.value();
  });
  return found == gates_.end() ? nullptr : &*found;
}

// Invariant 9.
void plan::settle_interrupted(task_entry& task) {
  switch (crash_policy_of(*task.declared)) {
    case crash_policy::retry:
      task.at = task_entry::phase::waiting;
      return;
    case crash_policy::fail:
      give_up(task, task_state::failed, interrupted_error("on_crash = \"fail\" says that it does not run again"));
      return;
    case crash_policy::ask:
      break;
  }
  task.at = task_entry::phase::asking;
  const auto* gate = crash_gate_of(task);
  if (gate == nullptr || gate->state == gate_state::open) {
    return;
  }
  if (gate->state == gate_state::approved) {
    task.at = task_entry::phase::waiting;
  } else {
    give_up(task, task_state::failed, interrupted_error("a person decided that it does not run again"));
  }
}

std::vector<gate_opening> plan::take_questions() {
  std::vector<gate_opening> questions;
  for (auto& task : tasks_) {
    if (task.at != task_entry::phase::asking || crash_gate_of(task) != nullptr ||
        std::exchange(task.question_told, true)) {
      continue;
    }
    const auto at = std::ranges::find(steps_, task.declared, &open_step::declared);
    gate_opening asked;
    asked.place = {superstep_, task.planned.step, static_cast<int>(task.attempt.value()), task.planned.id};
    asked.kind = gate_kind::crash;
    asked.path = at->path;
    asked.prompt = question_about(task.planned.id, task.attempt);
    questions.push_back(std::move(asked));
  }
  return questions;
}

void plan::learn(std::vector<gate_view> gates) {
  gates_ = std::move(gates);
  for (auto& task : tasks_) {
    if (task.at == task_entry::phase::asking) {
      settle_interrupted(task);
    }
  }
  settle();
}

std::vector<plan::gate_deadline> plan::gate_deadlines() const {
  std::vector<gate_deadline> deadlines;
  for (const auto& gate : gates_) {
    if (gate.state == gate_state::open && gate.expires_at) {
      deadlines.push_back({gate.asked.place, *gate.expires_at});
    }
  }
  return deadlines;
}

std::vector<gate_place> plan::open_gates() const {
  std::vector<gate_place> open;
  for (const auto& gate : gates_) {
    if (gate.state == gate_state::open) {
      open.push_back(gate.asked.place);
    }
  }
  return open;
}

bool plan::is_decided(const gate_view& gate) {
  return gate.asked.kind == gate_kind::step && gate.state != gate_state::open && !gate.taken_at;
}

bool plan::has_decision() const { return std::ranges::any_of(gates_, is_decided); }

bool plan::has_open_gate() const {
  return std::ranges::find(gates_, gate_state::open, &gate_view::state) != gates_.end();
}

bool plan::waiting() const {
  const bool at_work = std::ranges::any_of(tasks_, [](const task_entry& task) {
    return task.at == task_entry::phase::admitted || task.at == task_entry::phase::delayed;
  });
  const bool has_blocked = std::ranges::find(tasks_, task_entry::phase::blocked, &task_entry::at) != tasks_.end();
  return (has_open_gate() || has_blocked) && !at_work && !may_admit() && !complete();
}

}  // namespace troupe
