// What a workflow may not be although it is spelled well. Pure.
#pragma once

#include "config/problem.hpp"
#include "config/settings.hpp"
#include "config/source_map.hpp"
#include "config/workflow_file.hpp"
#include "messages/workflow.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What the workflow's names are checked against. Absent: names of that kind are not checked.
struct check_context {
  std::optional<std::map<agent_name, agent_kind>> agents;
  std::optional<std::set<std::string>> functions;
  /// first_output and idle_timeout of the agents that have them, by these names.
  std::map<agent_name, std::map<std::string, milliseconds>> silence_limits{};
};

check_context make_check_context(const settings& values, std::set<std::string> functions);

/// The graph and its names: ids, targets, reachability, loops, executors, quorum, templates, fields. INVALID_WORKFLOW.
/// `positions` may be empty: each problem then stands at its step.
std::vector<problem> check_workflow(const workflow& flow, const check_context& known, const source_map& positions = {});

/// All of it, in order of place: what the reader found and check_workflow; a consequence of a problem that the reader has
/// named is left out. What `troupe check` prints; a run may start when has_errors is false.
std::vector<problem> check_workflow(const loaded_workflow& loaded, const check_context& known);

}  // namespace troupe
