#include "actors/run/front.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"

#include <boost/json/array.hpp>

namespace troupe {

consensus_policy policy_of(const step& declared) { return declared.consensus.value_or(consensus_policy{}); }

bool is_aggregator(const step& declared, const agent_name& agent) {
  return declared.consensus && declared.consensus->strategy == consensus_strategy::aggregate &&
         declared.consensus->aggregator == agent;
}

bool is_one_of_several(const step& declared, const agent_name& agent) {
  return declared.agents.size() > 1 && !is_aggregator(declared, agent);
}

const function_call* function_of(const step& declared) noexcept {
  const auto& call = declared.map ? declared.map->function : declared.function;
  return call ? &*call : nullptr;
}

std::vector<agent_name> carriers(const step& declared) {
  if (const auto* call = function_of(declared)) {
    return {agent_name{call->name}};
  }
  if (declared.map) {
    return {declared.map->flow ? agent_name{declared.map->flow->name} : declared.map->agent};
  }
  auto agents = declared.agents;
  if (declared.consensus && declared.consensus->strategy == consensus_strategy::aggregate) {
    agents.push_back(declared.consensus->aggregator);
  }
  return agents;
}

const boost::json::array* items_of(const map_policy& map, const opened_fields& state) {
  const auto* list = state.find(map.over);
  return list == nullptr ? nullptr : list->if_array();
}

std::vector<planned_task> tasks_of(const workflow& flow,
                                   const run_id& run,
                                   superstep_no superstep,
                                   const std::vector<planned_step>& steps,
                                   const opened_fields& state) {
  std::vector<planned_task> tasks;
  const auto add =
      [&](const planned_step& at, const agent_name& carrier, std::size_t place, std::optional<std::int64_t> item) {
        tasks.push_back({make_task_id(run, superstep, at.step, carrier, item),
                         superstep,
                         at.step,
                         carrier,
                         static_cast<std::int64_t>(tasks.size()),
                         item,
                         at.path.then(static_cast<std::uint32_t>(place)).key()});
      };
  for (const auto& at : steps) {
    const step* declared = find_step(flow, at.step);
    invariant(declared != nullptr, "routes lead to steps that exist");
    const auto who = carriers(*declared);
    if (declared->map) {
      const auto* items = items_of(*declared->map, state);
      for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        add(at, who.front(), i, static_cast<std::int64_t>(i));
      }
    } else {
      for (std::size_t i = 0; i < who.size(); ++i) {
        add(at, who[i], i, std::nullopt);
      }
    }
  }
  return tasks;
}

}  // namespace troupe
