#include "actors/run/superstep_difference.hpp"

#include <algorithm>

namespace troupe {
namespace {

// The sides of a comparison, where they differ.
std::optional<superstep_difference> compared(difference_subject what, std::string left, std::string right) {
  if (left == right) {
    return std::nullopt;
  }
  superstep_difference found;
  found.what = what;
  found.left = std::move(left);
  found.right = std::move(right);
  return found;
}

std::string name_of(const task_view& task) {
  return task.step.str() + '/' + task.agent.str() + (task.item ? '/' + std::to_string(*task.item) : "");
}

// By their names, not their paths: where a step stands in the graph shows in the order.
std::string steps_text(const recorded_superstep& of) {
  std::string text;
  for (const auto& each : of.row.standing.steps) {
    text += (text.empty() ? "" : ", ") + each.step.str();
  }
  return text.empty() ? "no step" : text;
}

std::string tasks_text(const recorded_superstep& of) {
  std::string text;
  for (const auto& each : of.row.tasks) {
    text += (text.empty() ? "" : ", ") + name_of(each);
  }
  return text.empty() ? "no task" : text;
}

std::string deltas_text(const task_view& task) {
  std::string text;
  for (const auto& delta : task.deltas) {
    text += (text.empty() ? "" : ", ") + delta.field.str() + '=' + delta.value.str();
  }
  return text.empty() ? "none" : text;
}

std::string route_text(const task_view& task) {
  if (!task.route) {
    return "as the workflow says";
  }
  std::string text;
  for (const auto& step : *task.route) {
    text += (text.empty() ? "" : ", ") + step.str();
  }
  return text.empty() ? "nowhere" : text;
}

std::string outcome_text(const task_view& task) {
  return std::string{to_string(task.state)} + (task.why ? ' ' + std::string{to_string(task.why->code)} : "");
}

std::optional<superstep_difference> task_difference(const task_view& left, const task_view& right) {
  auto found = compared(difference_subject::outcome, outcome_text(left), outcome_text(right));
  if (!found) {
    const auto value = [](const task_view& task) { return task.value ? task.value->str() : std::string{"none"}; };
    found = compared(difference_subject::value, value(left), value(right));
  }
  if (!found) {
    found = compared(difference_subject::deltas, deltas_text(left), deltas_text(right));
  }
  if (!found) {
    found = compared(difference_subject::route, route_text(left), route_text(right));
  }
  if (found) {
    found->step = left.step;
    found->agent = left.agent;
    found->item = left.item;
  }
  return found;
}

std::string gate_text(const gate_view& gate) {
  auto text = gate.asked.place.step.str() + " level " + std::to_string(gate.asked.place.level) + ' ' +
              std::string{to_string(gate.state)};
  for (const auto& decision : gate.decisions) {
    text += ", " + decision.by + ' ' + std::string{to_string(decision.choice)};
    text += decision.comment.empty() ? "" : " (" + decision.comment + ')';
    text += decision.state_edit ? ' ' + decision.state_edit->str() : "";
  }
  return text;
}

std::optional<superstep_difference> gate_difference(const recorded_superstep& left, const recorded_superstep& right) {
  const auto count = std::max(left.row.taken.size(), right.row.taken.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = [&](const recorded_superstep& of) {
      return i < of.row.taken.size() ? gate_text(of.row.taken[i]) : std::string{"no decision"};
    };
    if (auto found = compared(difference_subject::gates, text(left), text(right))) {
      found->step = (i < left.row.taken.size() ? left : right).row.taken[i].asked.place.step;
      return found;
    }
  }
  return std::nullopt;
}

std::optional<superstep_difference> find_difference(const recorded_superstep& left, const recorded_superstep& right) {
  if (auto found = compared(difference_subject::steps, steps_text(left), steps_text(right))) {
    return found;
  }
  if (auto found = compared(difference_subject::steps, tasks_text(left), tasks_text(right))) {
    return found;
  }
  for (std::size_t i = 0; i < left.row.tasks.size(); ++i) {
    if (auto found = task_difference(left.row.tasks[i], right.row.tasks[i])) {
      return found;
    }
  }
  if (auto found = gate_difference(left, right)) {
    return found;
  }
  if (auto found = compared(difference_subject::deltas, left.row.deltas.str(), right.row.deltas.str())) {
    return found;
  }
  return compared(difference_subject::state, left.row.state_hash, right.row.state_hash);
}

}  // namespace

std::string_view to_string(difference_subject what) noexcept {
  switch (what) {
    case difference_subject::steps:
      return "steps";
    case difference_subject::outcome:
      return "outcome";
    case difference_subject::value:
      return "value";
    case difference_subject::deltas:
      return "deltas";
    case difference_subject::route:
      return "route";
    case difference_subject::gates:
      return "gates";
    case difference_subject::state:
      return "state";
    case difference_subject::length:
      return "length";
    case difference_subject::end:
      return "end";
  }
  return {};
}

std::optional<superstep_difference> first_difference(const recorded_superstep& left, const recorded_superstep& right) {
  auto found = find_difference(left, right);
  if (found) {
    found->superstep = left.row.superstep;
  }
  return found;
}

}  // namespace troupe
