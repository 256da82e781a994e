// Elements of lists, and the workflows that are run for them.
#include "config/workflow_checks.hpp"

#include <algorithm>
#include <array>

namespace troupe {
namespace {

constexpr std::array<std::string_view, 5> taken_names{"inputs", "state", "run", "step", "outputs"};

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

const input_field* find_input(const workflow& flow, const std::string& name) {
  const auto found = std::ranges::find(flow.inputs, name, &input_field::name);
  return found == flow.inputs.end() ? nullptr : &*found;
}

// A child run has as its inputs the element, and those of this run that it declares.
void check_inputs_of(const workflow& flow, const map_policy& map, const std::string& path, workflow_complaints& out) {
  const auto& child = *map.flow;
  for (const auto& wanted : child.inputs) {
    if (!wanted.required || wanted.name == map.as) {
      continue;
    }
    const auto* ours = find_input(flow, wanted.name);
    const std::string needs = "workflow " + quoted(child.name) + " requires the input " + quoted(wanted.name);
    if (ours == nullptr) {
      out.error(path,
                needs + ", which is neither the element nor an input here",
                "write as = \"" + wanted.name + "\", or declare [inputs." + wanted.name + "]");
    } else if (!ours->required && !ours->default_value) {
      out.warning(path,
                  needs + ", and a run may be without it",
                  "write required = true or a default in [inputs." + wanted.name + "]");
    }
  }
  if (!map.as.empty() && find_input(child, map.as) == nullptr) {
    out.warning(path,
                "workflow " + quoted(child.name) + " has no input " + quoted(map.as) +
                    ", and so does not get to see the element",
                "declare [inputs." + map.as + "] there");
  }
}

void check_map(const workflow& flow, std::size_t index, workflow_complaints& out) {
  const step& each = flow.steps[index];
  const auto& map = *each.map;
  if (std::ranges::find(taken_names, map.as) != taken_names.end()) {
    out.error(step_path(index, "map.as"), "'as' is " + quoted(map.as) + ", which prompts have another use for", "");
  }
  if (map.over.empty() && out.knows(step_path(index, "map.over"))) {
    out.error(step_path(index, "map.over"), "'over' is the whole state, which is no list", "name a field: \"/files\"");
  }
  if (each.consensus) {
    out.error(step_path(index, "consensus"), "'consensus' has no use: each element has one answer", "take it out");
  }
  if (!map.flow) {
    return;
  }
  if (!each.prompt.empty()) {
    out.error(
        step_path(index, "prompt"), "'prompt' has no use: the steps of the workflow have their own", "take it out");
  }
  check_inputs_of(flow, map, step_path(index, "map.workflow"), out);
}

}  // namespace

void check_maps(const workflow& flow, workflow_complaints& out) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    if (flow.steps[i].map) {
      check_map(flow, i, out);
    }
  }
}

}  // namespace troupe
