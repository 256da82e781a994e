#include "runtime/cli/graph_marks.hpp"

#include "config/json_member.hpp"
#include "messages/consensus.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace troupe {
namespace {

struct task_counts {
  int running = 0;
  int waiting = 0;
  int completed = 0;
  int failed = 0;
  int cancelled = 0;
};

// What its rows call running of a run that nobody carries out was cut off.
void count(task_counts& counts, task_state state, bool abandoned) {
  switch (state) {
    case task_state::running:
    case task_state::validating:
      ++(abandoned ? counts.waiting : counts.running);
      break;
    case task_state::pending:
    case task_state::queued:
    case task_state::retrying:
    case task_state::interrupted:
      ++counts.waiting;
      break;
    case task_state::completed:
      ++counts.completed;
      break;
    case task_state::failed:
      ++counts.failed;
      break;
    case task_state::cancelled:
      ++counts.cancelled;
      break;
  }
}

// How many must have completed for the step to have a result.
int needed(const step& declared, int tasks) {
  return declared.map ? tasks : fewest_of(declared.consensus.value_or(consensus_policy{}), tasks);
}

step_mark mark_of(const step& declared, const task_counts& counts) {
  const int tasks = counts.running + counts.waiting + counts.completed + counts.failed + counts.cancelled;
  if (counts.running + counts.waiting > 0) {
    return counts.running > 0 ? step_mark::running : step_mark::waiting;
  }
  const bool aggregates = declared.consensus && !declared.consensus->aggregator.empty();
  if (counts.completed >= needed(declared, aggregates ? tasks - 1 : tasks)) {
    return step_mark::completed;
  }
  return counts.failed > 0 ? step_mark::failed : step_mark::cancelled;
}

bool has_result(const workflow& flow, const step& declared, const json_text& state) {
  const auto field = std::ranges::find(flow.state, declared.output, &state_field::name);
  const bool began_with_one = field != flow.state.end() && field->initial;
  return !began_with_one && member_of(state, declared.output.str()).has_value();
}

}  // namespace

step_marks marks_of(const workflow& flow, const recovery_view& rows, const std::vector<task_view>& tasks) {
  std::map<step_id, superstep_no> newest;
  for (const auto& task : tasks) {
    auto& superstep = newest[task.step];
    superstep = std::max(superstep, task.superstep);
  }
  std::map<step_id, task_counts> counts;
  for (const auto& task : tasks) {
    if (task.superstep == newest[task.step]) {
      count(counts[task.step], task.state, rows.run.abandoned);
    }
  }
  step_marks marks;
  for (const auto& each : flow.steps) {
    const auto found = counts.find(each.id);
    if (found != counts.end()) {
      marks[each.id] = mark_of(each, found->second);
    } else if (has_result(flow, each, rows.run.result)) {
      marks[each.id] = step_mark::completed;
    }
  }
  for (const auto& gate : rows.gates) {
    if (gate.state == gate_state::open && !is_final(rows.run.state)) {
      marks[gate.asked.place.step] = step_mark::waiting;
    }
  }
  if (rows.run.failed_step) {
    marks[*rows.run.failed_step] = step_mark::failed;
  }
  return marks;
}

}  // namespace troupe
