// What decisions of people come to: the plan's part that closes gates with the superstep that is open.
#include "actors/run/conditions.hpp"
#include "actors/run/merge.hpp"
#include "actors/run/plan.hpp"
#include "messages/base/invariant.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

bool is_in(const std::vector<const gate_view*>& gates, const gate_view& gate) {
  return std::ranges::find(gates, &gate) != gates.end();
}

// As people edit: nobody's task, and past every reducer.
std::vector<task_delta> edits_of(const gate_view& gate) {
  std::vector<task_delta> deltas;
  for (const auto& decision : gate.decisions) {
    if (decision.state_edit) {
      deltas.push_back({gate.asked.place.step, agent_name{decision.by}, field_name{}, *decision.state_edit});
    }
  }
  return deltas;
}

// That of the gate's levels, from `from` on, whose condition holds.
std::optional<int> level_from(const gate_policy& gate, int from, const opened_fields& state) {
  const auto applies = [&](const gate_level& level) { return !level.when || holds(*level.when, state); };
  const auto found = std::find_if(gate.levels.begin() + from, gate.levels.end(), applies);
  return found == gate.levels.end() ? std::nullopt : std::optional{static_cast<int>(found - gate.levels.begin())};
}

}  // namespace

// In graph order, and of each step one: what a gate gives is its step's result, and a second one would hide it.
plan::gate_list plan::decided_gates() const {
  gate_list decided;
  for (const auto& gate : gates_) {
    if (is_decided(gate)) {
      decided.push_back(&gate);
    }
  }
  if (decided.empty()) {
    return decided;
  }
  std::ranges::sort(decided, {}, [](const gate_view* gate) {
    return std::tie(gate->asked.path, gate->asked.place.superstep, gate->asked.place.level);
  });
  std::set<step_id> seen;
  for (const auto& at : steps_) {
    seen.insert(at.declared->id);
  }
  std::erase_if(decided, [&](const gate_view* gate) { return !seen.insert(gate->asked.place.step).second; });
  return decided;
}

// What a gate's levels and its action are judged by is what follows it sees, not what was there when somebody decided:
// tasks that ended meanwhile, and other people's edits, are part of it. An approval whose action is another one then is
// void; without it, that of another gate may be. What is void stays so, and so this ends.
void plan::judge_gates(front_judgement& judged) const {
  const auto gates = decided_gates();
  if (gates.empty()) {
    return;
  }
  gate_list changed;
  std::vector<judged_part> own;
  do {
    own.clear();
    const auto seen = seen_by(gates, judged.parts, changed);
    for (const auto* gate : gates) {
      own.push_back(judge_gate(*gate, seen, is_in(changed, *gate)));
    }
  } while (find_changed(gates, judged.parts, own, changed));
  for (const auto* gate : gates) {
    judged.taken.push_back(gate->asked.place);
  }
  std::ranges::move(own, std::back_inserter(judged.parts));
  std::ranges::stable_sort(judged.parts, {}, &judged_part::path);
}

plan::judged_part plan::judge_gate(const gate_view& gate, const opened_fields& seen, bool has_changed) const {
  const auto& declared = *index_->find(gate.asked.place.step);
  if (gate.state == gate_state::expired) {
    return judge_expired(gate, seen);
  }
  judged_part part{gate.asked.path};
  if (has_changed) {
    part.again = {&declared, gate.asked.path, gate.asked.place.level - 1, std::nullopt};
    return part;
  }
  part.deltas = edits_of(gate);
  const auto next =
      gate.state == gate_state::approved ? level_from(*declared.gate, gate.asked.place.level, seen) : std::nullopt;
  if (next) {
    part.again = {&declared, gate.asked.path, gate.asked.place.level, next};
  } else {
    part.deltas.push_back({declared.id, agent_name{}, declared.output, decision_value(gate)});
    part.ended = {&declared, gate.asked.path};
  }
  return part;
}

plan::judged_part plan::judge_expired(const gate_view& gate, const opened_fields& seen) const {
  const auto& declared = *index_->find(gate.asked.place.step);
  const auto at = gate.asked.place.level;
  judged_part part{gate.asked.path};
  const bool escalates = gate.asked.on_expiry == expiry_policy::escalate;
  if (const auto next = escalates ? level_from(*declared.gate, at, seen) : std::nullopt) {
    part.again = {&declared, gate.asked.path, at, next};
  } else {
    fail_step(part,
              declared,
              {error_code::task_timeout,
               "nobody decided on the gate '" + declared.id.str() + "' in time",
               "decide sooner, or let 'expires' be longer or 'on_expiry' something else"});
  }
  return part;
}

// The state with all of the superstep but what gates decide. Where nobody looks at it, it is not put together.
opened_fields plan::seen_by(const gate_list& gates,
                            const std::vector<judged_part>& of_steps,
                            const gate_list& changed) const {
  const bool has_more_levels = std::ranges::any_of(gates, [&](const gate_view* gate) {
    return std::ssize(index_->find(gate->asked.place.step)->gate->levels) > gate->asked.place.level;
  });
  if (!has_more_levels) {
    return {};
  }
  std::vector<judged_part> edits;
  for (const auto* gate : gates) {
    if (!is_in(changed, *gate)) {
      edits.push_back({gate->asked.path, edits_of(*gate)});
    }
  }
  auto seen = state_after(of_steps, edits);
  return seen ? *std::move(seen) : state_;
}

bool plan::find_changed(const gate_list& gates,
                        const std::vector<judged_part>& of_steps,
                        const std::vector<judged_part>& own,
                        gate_list& changed) const {
  const auto before = changed.size();
  std::optional<opened_fields> after;
  for (const auto* gate : gates) {
    const auto& policy = *index_->find(gate->asked.place.step)->gate;
    if (gate->state != gate_state::approved || !policy.action || is_in(changed, *gate)) {
      continue;
    }
    after = after ? std::move(after) : state_after(of_steps, own);
    if (!after) {
      return false;  // the superstep cannot be merged, and nothing of it counts
    }
    if (is_void(*gate, *after)) {
      changed.push_back(gate);
    }
  }
  return changed.size() > before;
}

// Who edits the action, or takes it away, approves of what he makes of it.
bool plan::is_void(const gate_view& gate, const opened_fields& after) const {
  const auto& policy = *index_->find(gate.asked.place.step)->gate;
  const auto hash_in = [&](const opened_fields& state) {
    const auto hash = action_hash(policy, state);
    return hash ? std::optional{*hash} : std::nullopt;
  };
  if (hash_in(state_) != gate.asked.action_hash) {
    return true;
  }
  auto edited = merge(state_.fields(), flow_->state, edits_of(gate));
  auto* fields = std::get_if<json_fields>(&edited);
  return fields != nullptr && hash_in(opened_fields{std::move(*fields)}) != hash_in(after);
}

std::optional<opened_fields> plan::state_after(const std::vector<judged_part>& of_steps,
                                               const std::vector<judged_part>& own) const {
  std::vector<const judged_part*> parts;
  for (const auto* some : {&of_steps, &own}) {
    for (const auto& part : *some) {
      parts.push_back(&part);
    }
  }
  std::ranges::stable_sort(parts, {}, [](const judged_part* part) -> const graph_path& { return part->path; });
  std::vector<task_delta> deltas;
  for (const auto* part : parts) {
    deltas.insert(deltas.end(), part->deltas.begin(), part->deltas.end());
  }
  auto merged = merge(state_.fields(), flow_->state, deltas);
  auto* fields = std::get_if<json_fields>(&merged);
  return fields != nullptr ? std::optional{opened_fields{std::move(*fields)}} : std::nullopt;
}

}  // namespace troupe
