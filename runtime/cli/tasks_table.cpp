// The tasks of a run, one line each.
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/report.hpp"
#include "runtime/cli/table.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string time_of(const task_view& task) {
  return task.started_at && task.finished_at ? human_duration(*task.finished_at - *task.started_at) : std::string{};
}

// The newest child run of the task; null: there is none.
const run_view* child_of(const task_view& task, const std::vector<run_view>& children) {
  const auto found = std::find_if(
      children.rbegin(), children.rend(), [&](const run_view& child) { return child.parent_task == task.task; });
  return found == children.rend() ? nullptr : &*found;
}

std::string detail_of(const task_view& task, const std::vector<run_view>& children) {
  const auto* const child = child_of(task, children);
  std::string text = child == nullptr ? std::string{} : child->run.str();
  if (waits_for_child(task, children)) {
    return text + " is paused";
  }
  if (task.why) {
    text += text.empty() ? "" : ", ";
    text += std::string{to_string(task.why->code)} + ": " + printable(task.why->message);
  } else if (task.standard_output_bytes > 0) {
    text = human_bytes(task.standard_output_bytes);
  }
  const bool told = task.why && task.why->code == error_code::agent_exit;
  if (task.exit_code && *task.exit_code != 0 && !told) {
    text += (text.empty() ? "exit " : ", exit ") + std::to_string(*task.exit_code);
  }
  return text;
}

ink ink_of_task(task_state state) noexcept {
  switch (sign_of(state)) {
    case sign::good:
      return ink::green;
    case sign::failed:
      return ink::red;
    case sign::retrying:
    case sign::warned:
    case sign::stopped:
      return ink::yellow;
    case sign::waiting:
      return ink::dim;
    case sign::running:
      return ink::cyan;
  }
  return ink::plain;
}

}  // namespace

bool waits_for_child(const task_view& task, const std::vector<run_view>& children) {
  const auto* const child = child_of(task, children);
  return child != nullptr && task.state == task_state::interrupted && child->state == run_state::paused;
}

std::string tasks_table(const stored_run& stored, const report_look& with) {
  table rows{{{.title = "NO", .right = true, .shrinks = false},
              {.title = "STEP", .right = false, .shrinks = true},
              {.title = "AGENT", .right = false, .shrinks = true},
              {.title = "STATE", .right = false, .shrinks = false},
              {.title = "ATTEMPT", .right = true, .shrinks = false},
              {.title = "TIME", .right = true, .shrinks = false},
              {.title = "", .right = false, .shrinks = true}}};
  const task_view* before = nullptr;
  for (const task_view& task : stored.tasks) {
    const bool same_superstep = before != nullptr && before->superstep == task.superstep;
    const bool same_step = same_superstep && before->step == task.step;
    rows.add({same_superstep ? std::string{} : std::to_string(task.superstep.value()),
              same_step ? std::string{} : task.step.str(),
              task.agent.str(),
              waits_for_child(task, stored.children) ? with.look.paint(ink::dim, "waiting")
                                                     : with.look.paint(ink_of_task(task.state), to_string(task.state)),
              task.attempt.value() > 0 ? std::to_string(task.attempt.value()) : std::string{},
              time_of(task),
              detail_of(task, stored.children)});
    before = &task;
  }
  return rows.text(with.columns, with.look);
}

}  // namespace troupe
