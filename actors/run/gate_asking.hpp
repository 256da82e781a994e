// What a gate asks, and what its answer comes to. Pure.
#pragma once

#include "actors/json/opened_fields.hpp"
#include "actors/run/routing.hpp"
#include "actors/run/template_rendering.hpp"
#include "messages/base/result.hpp"
#include "messages/gate.hpp"
#include "messages/workflow.hpp"

#include <functional>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace troupe {

/// Nobody need be asked: approved by the workflow's own condition, or no level applies.
struct approved_by_rule {};

/// A gate that is to ask: it was reached (`after` is 0), or asks once more, behind its level `after`. `level`: where it is
/// known which of its levels asks (from 0); else the first behind `after` whose condition holds.
struct gate_again {
  const step* declared = nullptr;
  graph_path path;
  int after = 0;
  std::optional<int> level{};
};

/// The question of the gate. `names` are what prompts may name, with the state that the next superstep sees.
/// INVALID_INPUT: the prompt names what is not there, or the action leads nowhere.
result<std::variant<gate_opening, approved_by_rule>> ask(const gate_again& reached,
                                                         superstep_no superstep,
                                                         const prompt_names& names,
                                                         const opened_fields& state);

/// The questions of the gates that the next superstep reaches, which are taken out of `standing`, and of those that ask
/// again, in the order of their paths. Gates that nobody need be asked about stay in `standing`, or come into it. A gate
/// that several ways lead to at one level asks once, by the smallest of the paths.
std::variant<std::vector<gate_opening>, routing_refusal> reach_gates(
    const step_index& steps,
    superstep_standing& standing,
    std::span<const gate_again> again,
    superstep_no superstep,
    const std::function<prompt_names(const step&)>& names,
    const opened_fields& state);

/// `sha256:` of the action that the gate is bound to, as the state has it; empty where it is bound to nothing.
/// INVALID_INPUT: it leads nowhere.
result<std::string> action_hash(const gate_policy& gate, const opened_fields& state);

/// The value that a decided gate gives its step: `{"by":[...],"comment":...,"decision":"approved"|"rejected"}`, with
/// `"automatic":true` where a rule decided, and `"expired":true` where nobody did. `comment` is the last that was made.
json_text decision_value(const gate_view& gate);
json_text automatic_decision();

}  // namespace troupe
