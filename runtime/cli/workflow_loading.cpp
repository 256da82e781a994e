#include "runtime/cli/workflow_loading.hpp"

#include "config/workflow_check.hpp"
#include "runtime/probes.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::set<std::string> function_names() {
  std::set<std::string> names;
  for (const auto& [name, function] : probe_functions(nullptr)) {
    names.insert(name);
  }
  return names;
}

/// Programs and keys that the workflow does not use may be absent.
std::vector<problem> missing_needs(context& with, const workflow& flow) {
  const std::set<std::string> used = agents_of(flow);
  std::vector<problem> found = check_needs(with.config(), with.environment());
  std::erase_if(found, [&](const problem& each) {
    constexpr std::string_view prefix = "agents.";
    if (!each.key.starts_with(prefix)) {
      return false;
    }
    const std::string name = each.key.substr(prefix.size(), each.key.rfind('.') - prefix.size());
    return !used.contains(name);
  });
  return found;
}

}  // namespace

std::set<std::string> agents_of(const workflow& flow) {
  std::set<std::string> names;
  for (const step& each : flow.steps) {
    for (const agent_name& agent : each.agents) {
      names.insert(agent.str());
    }
    if (each.consensus && !each.consensus->aggregator.empty()) {
      names.insert(each.consensus->aggregator.str());
    }
    if (each.map && !each.map->agent.empty()) {
      names.insert(each.map->agent.str());
    }
    if (each.map && each.map->flow) {
      names.merge(agents_of(*each.map->flow));
    }
  }
  return names;
}

checked_workflow load_checked_workflow(context& with, const std::string& path) {
  const loaded_workflow loaded = load_workflow(path);
  checked_workflow checked;
  checked.problems = check_workflow(loaded, make_check_context(*with.settings(), function_names()));
  if (has_errors(checked.problems) || loaded.flow == nullptr) {
    return checked;
  }
  checked.flow = loaded.flow;
  const auto missing = missing_needs(with, *loaded.flow);
  checked.problems.insert(checked.problems.end(), missing.begin(), missing.end());
  return checked;
}

refusal refusal_of(const checked_workflow& loaded) {
  const error unknown{.code = error_code::invalid_workflow, .message = "the workflow cannot be read", .hint = {}};
  return {.what = first_error(loaded.problems).value_or(unknown), .where = {}, .problems = loaded.problems};
}

}  // namespace troupe
