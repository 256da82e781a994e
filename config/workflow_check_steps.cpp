// Who carries out each step.
#include "config/workflow_checks.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

class executor_checker {
 public:
  executor_checker(const workflow& flow, const check_context& known, workflow_complaints& out)
      : flow_(flow), known_(known), out_(out) {
    for (const auto& [name, kind] : known.agents.value_or(std::map<agent_name, agent_kind>{})) {
      agent_names_.push_back(name.str());
    }
    for (const auto& name : known.functions.value_or(std::set<std::string>{})) {
      function_names_.push_back(name);
    }
  }

  void check() {
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      index_ = i;
      const step& each = flow_.steps[i];
      check_count(each);
      check_agents(each);
      check_function(each);
      if (each.consensus && !each.consensus->aggregator.empty()) {
        check_agent(path("consensus.aggregator"), each.consensus->aggregator);
      }
      check_timeout(each);
      check_silence(each);
    }
  }

 private:
  std::string path(std::string_view below = {}) const { return step_path(index_, below); }

  void check_count(const step& each) {
    const int count = static_cast<int>(!each.agents.empty()) + static_cast<int>(each.function.has_value()) +
                      static_cast<int>(each.gate.has_value()) + static_cast<int>(each.map.has_value());
    if (count == 1) {
      return;
    }
    const std::string name = "step " + quoted(each.id.str());
    out_.error(path(),
               count == 0 ? name + " says nothing of who carries it out" : name + " has several kinds of executor",
               "write exactly one of agent, agents, function, gate, map");
  }

  void check_agents(const step& each) {
    const bool is_one = each.agents.size() == 1;
    for (std::size_t i = 0; i < each.agents.size(); ++i) {
      const auto& name = each.agents[i];
      const std::string at = list_path(path("agents"), i);
      check_agent(is_one && !has_list(at) ? path("agent") : at, name);
      if (std::find(each.agents.begin(), each.agents.begin() + static_cast<std::ptrdiff_t>(i), name) !=
          each.agents.begin() + static_cast<std::ptrdiff_t>(i)) {
        out_.error(at, "agent " + quoted(name.str()) + " is named twice; each agent answers once", "take one out");
      }
    }
    if (each.map && !each.map->agent.empty()) {
      check_agent(path("map.agent"), each.map->agent);
    }
  }

  bool has_list(const std::string& at) const { return out_.knows(at); }

  void check_agent(const std::string& at, const agent_name& name) {
    if (!known_.agents) {
      return;
    }
    const auto found = known_.agents->find(name);
    if (found == known_.agents->end()) {
      out_.error(at,
                 "there is no agent " + quoted(name.str()),
                 agent_names_.empty() ? "add [agents." + name.str() + "] to troupe.toml: no agent is configured"
                                      : suggestion(name.str(), agent_names_));
    }
  }

  void check_function(const step& each) {
    if (each.map && each.map->function) {
      check_known(path("map.function"), *each.map->function);
    }
    if (!each.function) {
      return;
    }
    check_known(path("function"), *each.function);
    if (each.consensus) {
      out_.error(path("consensus"), "'consensus' has no use: a function answers alone", "take it out");
    }
  }

  void check_known(const std::string& at, const function_call& call) {
    if (known_.functions && !known_.functions->contains(call.name)) {
      out_.error(at, "there is no function " + quoted(call.name), suggestion(call.name, function_names_));
    }
  }

  void check_timeout(const step& each) {
    if (each.timeout && flow_.limits.wall_clock && *each.timeout > *flow_.limits.wall_clock) {
      out_.warning(path("timeout"),
                   "'timeout' (" + to_text(*each.timeout) + ") is longer than limits.wall_clock (" +
                       to_text(*flow_.limits.wall_clock) + "), which ends the whole run",
                   "shorten it, or give the run more time");
    }
  }

  void check_silence(const step& each) {
    for (const auto& name : each.agents) {
      const auto found = known_.silence_limits.find(name);
      if (!each.timeout || found == known_.silence_limits.end()) {
        continue;
      }
      for (const auto& [key, limit] : found->second) {
        if (limit >= *each.timeout) {
          out_.warning(path("timeout"),
                       quoted(key) + " of agent " + quoted(name.str()) + " (" + to_text(limit) +
                           ") never counts: the step's timeout (" + to_text(*each.timeout) + ") comes first",
                       "shorten it, or give the step more time");
        }
      }
    }
  }

  const workflow& flow_;
  const check_context& known_;
  workflow_complaints& out_;
  std::vector<std::string> agent_names_;
  std::vector<std::string> function_names_;
  std::size_t index_ = 0;
};

}  // namespace

void check_executors(const workflow& flow, const check_context& known, workflow_complaints& out) {
  executor_checker{flow, known, out}.check();
}

}  // namespace troupe
