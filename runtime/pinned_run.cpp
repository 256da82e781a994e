#include "runtime/pinned_run.hpp"

#include "config/load.hpp"
#include "config/workflow_file.hpp"

#include <memory>

namespace troupe {
namespace {

std::shared_ptr<const executors> executors_of(const settings& config, const function_table& functions) {
  auto made = std::make_shared<executors>();
  made->agents = config.agents;
  made->functions = functions;
  made->retry = config.retry.agent;
  made->kill_grace = config.runtime.kill_grace;
  made->drain_grace = config.runtime.drain_grace;
  made->prices = std::make_shared<const price_table>(config.prices);
  return made;
}

error first_error(const std::vector<problem>& problems, const std::string& what) {
  for (const auto& each : problems) {
    if (each.weight == problem::severity::error) {
      return {error_code::internal, what + " cannot be read back: " + each.message, each.hint};
    }
  }
  return {error_code::internal, what + " cannot be read back", ""};
}

}  // namespace

result<run_material> read_pinned(const run_view& run,
                                 const std::string& workflow_source,
                                 const std::string& config_source,
                                 const function_table& functions) {
  config_sources sources;
  sources.files.push_back({"/pinned.toml", config_source, true});
  sources.working_directory = std::string{"/"};
  const auto config = load_config(sources);
  if (!config.values) {
    return first_error(config.problems, "the configuration of run " + run.run.str());
  }
  const auto flow = parse_workflow(workflow_source, run.workflow, "", config.values->retry.agent);
  if (!flow.flow) {
    return first_error(flow.problems, "the workflow of run " + run.run.str());
  }
  return run_material{flow.flow, executors_of(*config.values, functions)};
}

}  // namespace troupe
