#include "actors/run/gate_asking.hpp"

#include "actors/json/json.hpp"
#include "actors/run/conditions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace troupe {

result<std::string> action_hash(const gate_policy& gate, const opened_fields& state) {
  if (!gate.action) {
    return std::string{};
  }
  const auto* action = state.find(*gate.action);
  if (action == nullptr) {
    return error{error_code::invalid_input,
                 "the gate is to approve what stands at '" + *gate.action + "' in the state, and nothing does",
                 "let an earlier step give it, or take 'action' out"};
  }
  return state_hash(canonical(*action));
}

result<std::variant<gate_opening, approved_by_rule>> ask(const gate_again& reached,
                                                         superstep_no superstep,
                                                         const prompt_names& names,
                                                         const opened_fields& state) {
  using question = std::variant<gate_opening, approved_by_rule>;
  const auto& declared = *reached.declared;
  const auto& gate = *declared.gate;
  if (reached.after == 0 && gate.approved_when && holds(*gate.approved_when, state)) {
    return question{approved_by_rule{}};
  }
  const auto known = reached.level;
  const auto first =
      gate.levels.begin() + std::min<std::ptrdiff_t>(known.value_or(reached.after), std::ssize(gate.levels));
  const auto level = std::find_if(first, gate.levels.end(), [&](const gate_level& each) {
    return known || !each.when || holds(*each.when, state);
  });
  if (level == gate.levels.end()) {
    return question{approved_by_rule{}};
  }
  auto prompt = render_prompt(level->prompt, names);
  if (!prompt) {
    return prompt.error();
  }
  auto action = action_hash(gate, state);
  if (!action) {
    return action.error();
  }
  gate_opening asked;
  asked.place = {superstep, declared.id, static_cast<int>(level - gate.levels.begin()) + 1};
  asked.path = reached.path;
  asked.prompt = *std::move(prompt);
  asked.action_hash = *std::move(action);
  asked.votes = level->votes;
  asked.voters = level->voters;
  asked.expires = level->expires;
  asked.on_expiry = level->on_expiry;
  return question{std::move(asked)};
}

std::variant<std::vector<gate_opening>, routing_refusal> reach_gates(
    const step_index& steps,
    superstep_standing& standing,
    std::span<const gate_again> again,
    superstep_no superstep,
    const std::function<prompt_names(const step&)>& names,
    const opened_fields& state) {
  std::vector<gate_again> reached{again.begin(), again.end()};
  std::erase_if(standing.steps, [&](const planned_step& at) {
    const auto* declared = steps.find(at.step);
    if (declared->gate) {
      reached.push_back({declared, at.path, 0});
    }
    return declared->gate.has_value();
  });
  std::ranges::stable_sort(reached, {}, &gate_again::path);
  std::vector<gate_opening> questions;
  const auto is_asked = [&](const gate_place& place) {
    return std::ranges::any_of(questions, [&](const gate_opening& asked) { return asked.place == place; });
  };
  const auto stands = [&](const step_id& id) {
    return std::ranges::find(standing.steps, id, &planned_step::step) != standing.steps.end();
  };
  for (const auto& each : reached) {
    const auto& declared = *each.declared;
    auto asked = ask(each, superstep, names(declared), state);
    if (!asked) {
      return routing_refusal{declared.id, std::move(asked).error()};
    }
    if (auto* question = std::get_if<gate_opening>(&*asked)) {
      if (!is_asked(question->place)) {
        questions.push_back(std::move(*question));
      }
    } else if (!stands(declared.id)) {
      standing.steps.push_back({declared.id, each.path});
    }
  }
  std::ranges::stable_sort(standing.steps, {}, &planned_step::path);
  return questions;
}

namespace {

// Of people; else nobody decided in time.
bool has_enough(const gate_view& gate) {
  const auto approvals = std::ranges::count(gate.decisions, gate_choice::approved, &gate_decision::choice);
  return gate.state == gate_state::approved ? approvals >= gate.asked.votes : approvals < std::ssize(gate.decisions);
}

}  // namespace

json_text decision_value(const gate_view& gate) {
  const bool approved = gate.state == gate_state::approved;
  boost::json::array by;
  boost::json::object value{{"decision", approved ? "approved" : "rejected"}};
  for (const auto& decision : gate.decisions) {
    if ((decision.choice == gate_choice::approved) == approved) {
      by.emplace_back(decision.by);
    }
    if (!decision.comment.empty()) {
      value["comment"] = decision.comment;
    }
  }
  if (!has_enough(gate)) {
    value["expired"] = true;
  }
  value["by"] = std::move(by);
  return canonical(value);
}

json_text automatic_decision() {
  return canonical(boost::json::object{{"automatic", true}, {"by", boost::json::array{}}, {"decision", "approved"}});
}

}  // namespace troupe
