// What a run is pinned to, read back from its text: the workflow, the agents, the settings that it began with.
#pragma once

#include "actors/run/run_actor.hpp"
#include "messages/base/result.hpp"
#include "messages/function.hpp"
#include "messages/views.hpp"

#include <string>

namespace troupe {

/// Decision 13: a run keeps the workflow and the configuration that it started with. INTERNAL: this version cannot read
/// them any more.
result<run_material> read_pinned(const run_view& run,
                                 const std::string& workflow_source,
                                 const std::string& config_source,
                                 const function_table& functions);

}  // namespace troupe
