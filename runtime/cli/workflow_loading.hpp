// A workflow file, read and checked against the configuration that is loaded: what `run`, `check` and `graph` begin with.
#pragma once

#include "messages/workflow.hpp"
#include "runtime/cli/context.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe {

struct checked_workflow {
  workflow_ptr flow;              ///< Null exactly when one of the problems is an error.
  std::vector<problem> problems;  ///< With programs of its agents that are not there, as warnings.
};

/// Those that answer, and those that bring answers together, in the workflows of its maps too.
std::set<std::string> agents_of(const workflow& flow);

/// The context's configuration is loaded. Blocks on reading.
checked_workflow load_checked_workflow(context& with, const std::string& path);

/// Of one that may not run.
refusal refusal_of(const checked_workflow& loaded);

}  // namespace troupe
