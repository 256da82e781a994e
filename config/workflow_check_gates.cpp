// What a gate asks, and what has no use at one.
#include "config/workflow_checks.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

void check_voters(const gate_level& level, const std::string& path, workflow_complaints& out) {
  const auto& voters = level.voters;
  if (!voters.empty() && level.votes > static_cast<int>(voters.size())) {
    out.error(path + ".votes",
              "'votes' is " + std::to_string(level.votes) + ", and 'voters' are " + std::to_string(voters.size()) +
                  ": nobody votes twice, so it is never approved",
              "lower 'votes', or add voters");
  }
  for (auto each = voters.begin(); each != voters.end(); ++each) {
    if (std::find(voters.begin(), each, *each) != each) {
      out.error(path + ".voters", quoted(*each) + " is named twice; everybody votes once", "take one out");
    }
  }
}

void check_levels(const gate_policy& gate, std::size_t index, workflow_complaints& out) {
  for (std::size_t i = 0; i < gate.levels.size(); ++i) {
    const auto& level = gate.levels[i];
    const std::string path = level_path(out, index, i);
    check_voters(level, path, out);
    if (i + 1 == gate.levels.size() && level.on_expiry == expiry_policy::escalate) {
      out.warning(path + ".on_expiry",
                  "there is no level behind this one to escalate to: when nobody decides in time, the step fails",
                  "add a level, or write on_expiry = \"fail\"");
    }
  }
}

}  // namespace

void check_gates(const workflow& flow, workflow_complaints& out) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const step& each = flow.steps[i];
    if (!each.gate) {
      continue;
    }
    check_levels(*each.gate, i, out);
    const auto no_use = [&](bool is_there, std::string_view key, const std::string& hint) {
      if (is_there) {
        out.error(step_path(i, key), quoted(std::string{key}) + " has no use at a gate", hint);
      }
    };
    no_use(!each.prompt.empty(), "prompt", "what is asked stands in the gate: gate = { prompt = \"...\" }");
    no_use(each.timeout.has_value(), "timeout", "a gate has 'expires'");
    no_use(each.retry.has_value(), "retry", "take it out");
    no_use(each.consensus.has_value(), "consensus", "a gate has 'votes'");
    no_use(each.on_crash.has_value(), "on_crash", "take it out: a gate is asked once, whatever happens");
    no_use(each.effects.has_value(), "effects", "take it out");
  }
}

}  // namespace troupe
