#include "actors/run/front.hpp"

#include "messages/base/invariant.hpp"

#include <set>

namespace troupe {

consensus_policy policy_of(const step& declared) { return declared.consensus.value_or(consensus_policy{}); }

bool is_aggregator(const step& declared, const agent_name& agent) {
  return declared.consensus && declared.consensus->strategy == consensus_strategy::aggregate &&
         declared.consensus->aggregator == agent;
}

bool is_one_of_several(const step& declared, const agent_name& agent) {
  return declared.agents.size() > 1 && !is_aggregator(declared, agent);
}

std::vector<agent_name> carriers(const step& declared) {
  if (declared.function) {
    return {agent_name{declared.function->name}};
  }
  auto agents = declared.agents;
  if (declared.consensus && declared.consensus->strategy == consensus_strategy::aggregate) {
    agents.push_back(declared.consensus->aggregator);
  }
  return agents;
}

std::vector<planned_task> front_of(const workflow& flow,
                                   const run_id& run,
                                   superstep_no superstep,
                                   const std::vector<step_id>& steps) {
  std::vector<planned_task> front;
  for (const auto& id : steps) {
    const step* declared = find_step(flow, id);
    invariant(declared != nullptr, "routes lead to steps that exist");
    for (const auto& carrier : carriers(*declared)) {
      front.push_back(
          {make_task_id(run, superstep, id, carrier), superstep, id, carrier, static_cast<std::int64_t>(front.size())});
    }
  }
  return front;
}

std::vector<step_id> followers(const workflow& flow, const std::vector<step_id>& done) {
  std::vector<step_id> next;
  std::set<step_id> seen;
  for (const auto& id : done) {
    for (const auto& route : find_step(flow, id)->next) {
      if (seen.insert(route.to).second) {
        next.push_back(route.to);
      }
    }
  }
  return next;
}

}  // namespace troupe
