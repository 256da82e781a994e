// Who of a step is still waited for: the plan's part that quorums, races and deadlines decide.
#include "actors/consensus/consensus.hpp"
#include "actors/run/front.hpp"
#include "actors/run/plan.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

error pointless(stop_cause cause) {
  return cause == stop_cause::lost_race
             ? error{error_code::cancelled, "another agent of the step answered first", ""}
             : error{error_code::task_timeout, "the step waits no longer: its deadline has passed", ""};
}

}  // namespace

bool plan::may_still_answer(const task_entry& task) const {
  switch (task.at) {
    case task_entry::phase::admitted:
    case task_entry::phase::delayed:
    case task_entry::phase::asking:
    case task_entry::phase::blocked:
      return true;
    case task_entry::phase::waiting:
      return !is_barred(task);
    case task_entry::phase::parked:
    case task_entry::phase::over:
      return false;
  }
  return false;
}

void plan::settle() {
  for (auto& at : steps_) {
    if (at.count > 0 && !at.declared->map) {  // the elements of a map do not wait for each other
      settle_step(at);
      if (bar_moves_) {
        bar();
      }
    }
  }
}

plan::open_step& plan::step_of(const task_entry& task) {
  const auto place = static_cast<std::size_t>(&task - tasks_.data());
  return *std::prev(std::ranges::upper_bound(steps_, place, {}, &open_step::first));  // that has it, and not none
}

// What became of one task is of no account to other steps.
void plan::settle_step_of(const task_entry& task) {
  auto& at = step_of(task);
  if (!at.declared->map) {
    settle_step(at);
  }
  if (bar_moves_) {
    bar();
  }
}

void plan::settle_step(open_step& at) {
  const auto tasks = members(at);
  const auto& declared = *at.declared;
  const auto policy = policy_of(declared);
  const bool aggregated = is_aggregator(declared, tasks.back().planned.agent);
  const auto members = aggregated ? tasks.first(tasks.size() - 1) : tasks;
  const auto answered = static_cast<int>(std::ranges::count_if(members, &task_entry::has_answered));
  const int quorum = quorum_of(policy, static_cast<int>(members.size()));

  if (policy.strategy == consensus_strategy::race && answered > 0) {
    stop_rest(tasks, stop_cause::lost_race);
  } else if (at.hard_passed) {
    stop_rest(tasks, stop_cause::too_late);
  } else if (at.soft_passed && answered >= quorum) {
    stop_rest(members, stop_cause::too_late);
  }
  if (std::ranges::none_of(members, [&](const task_entry& task) { return may_still_answer(task); })) {
    settle_parked(members, answered >= quorum);
  }
  auto& last = tasks.back();
  const bool members_are_over = std::ranges::all_of(members, &task_entry::is_over);
  if (aggregated && !last.is_over() && members_are_over &&
      answered < fewest_of(policy, static_cast<int>(members.size()))) {
    give_up(last,
            task_state::cancelled,
            {error_code::quorum_not_met, "too few agents answered, so that there is nothing to aggregate", ""});
  }
}

// Invariant 6.
void plan::settle_parked(step_tasks members, bool enough) {
  for (auto& task : members) {
    if (task.at != task_entry::phase::parked) {
      continue;
    }
    if (enough) {
      task.at = task_entry::phase::waiting;
    } else {
      give_up(task, task_state::failed, error{*task.outcome.why});
    }
  }
}

// Invariant 7.
void plan::stop_rest(step_tasks tasks, stop_cause cause) {
  for (auto& task : tasks) {
    if (task.is_over()) {
      continue;
    }
    if (task.at != task_entry::phase::admitted) {
      // What has failed on its own has a better reason than that nobody waits.
      const bool failed = cause == stop_cause::too_late && task.outcome.why;
      give_up(task,
              cause == stop_cause::lost_race ? task_state::cancelled : task_state::failed,
              failed ? error{*task.outcome.why} : pointless(cause));
    } else if (!std::exchange(task.stop_told, true)) {
      stops_.push_back({task.planned.id, cause});
    }
  }
}

void plan::give_up(task_entry& task, task_state as, error why) {
  bar_moves_ = bar_moves_ || task.attempt.value() == 0;
  task.at = task_entry::phase::over;
  task.given_up = true;
  task.outcome = {};
  task.outcome.state = as;
  task.outcome.why = std::move(why);
}

std::vector<plan::stop_order> plan::take_stops() { return std::exchange(stops_, {}); }

std::vector<plan::step_deadline> plan::take_deadlines() {
  std::vector<step_deadline> told;
  for (auto& at : steps_) {
    const auto tasks = members(at);
    const auto& declared = *at.declared;
    if (!declared.consensus || !at.has_begun || std::exchange(at.deadlines_told, true)) {
      continue;
    }
    std::optional<timestamp> began;
    for (const auto& task : tasks) {
      if (task.first_started && (!began || *task.first_started < *began)) {
        began = task.first_started;
      }
    }
    if (const auto soft = declared.consensus->soft_after) {
      told.push_back({declared.id, superstep_, step_deadline::kind::soft, began, *soft});
    }
    if (const auto hard = declared.consensus->hard_after) {
      told.push_back({declared.id, superstep_, step_deadline::kind::hard, began, *hard});
    }
  }
  return told;
}

void plan::overdue(const step_deadline& deadline) {
  if (deadline.superstep != superstep_) {
    return;
  }
  const auto at = std::ranges::find(steps_, deadline.step, [](const open_step& each) { return each.declared->id; });
  if (at == steps_.end()) {
    return;
  }
  (deadline.is == step_deadline::kind::soft ? at->soft_passed : at->hard_passed) = true;
  settle();
}

}  // namespace troupe
