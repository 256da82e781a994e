#include "runtime/gate_question.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

bool is_meant(const gate_view& gate, const gate_question& wanted) {
  const auto& place = gate.asked.place;
  return place.step == wanted.step && (!wanted.superstep || place.superstep == *wanted.superstep) &&
         (!wanted.level || place.level == *wanted.level) && (!wanted.task || place.task == wanted.task);
}

std::string name_of(const run_id& run, const gate_question& wanted) {
  return "gate '" + wanted.step.str() + "' of run " + run.str();
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) {
    all += (all.empty() ? "" : ", ") + name;
  }
  return all;
}

/// ` in superstep 99`, as far as it was said.
std::string selection_of(const gate_question& wanted) {
  std::string text = wanted.superstep ? " in superstep " + std::to_string(wanted.superstep->value()) : "";
  text += wanted.level ? " at level " + std::to_string(*wanted.level) : "";
  return wanted.task ? text + " about task " + wanted.task->str() : text;
}

error nothing_asks(const run_id& run, const std::vector<gate_view>& gates, const gate_question& wanted) {
  const auto selection = selection_of(wanted);
  std::vector<std::string> open;
  for (const auto& gate : gates) {
    const auto& place = gate.asked.place;
    if (gate.state == gate_state::open) {
      open.push_back(place.step.str());
      open.back() += selection.empty() ? "" : selection_of({place.step, place.superstep, place.level, place.task});
    }
  }
  return {error_code::not_found,
          "run " + run.str() + " asks nothing at '" + wanted.step.str() + "'" + selection,
          open.empty() ? "nothing of this run waits for a decision; troupe pending lists what does"
                       : "what waits for a decision: " + listed(open)};
}

error several(const run_id& run, const std::vector<const gate_view*>& open, const gate_question& wanted) {
  std::vector<std::string> choices;
  for (const auto* gate : open) {
    const auto& place = gate->asked.place;
    std::string choice = "--superstep " + std::to_string(place.superstep.value());
    if (place.task) {
      choice += " --task " + place.task->str();
    }
    if (std::ranges::any_of(open, [&](const gate_view* other) {
          return other->asked.place.level != place.level && other->asked.place.superstep == place.superstep;
        })) {
      choice += " --level " + std::to_string(place.level);
    }
    choices.push_back(std::move(choice));
  }
  return {error_code::invalid_input,
          name_of(run, wanted) + " asks " + std::to_string(open.size()) + " times; nothing was decided",
          "say which: " + listed(choices)};
}

const gate_decision* decision_by(const gate_view& gate, const std::string& who) {
  const auto found = std::ranges::find(gate.decisions, who, &gate_decision::by);
  return found == gate.decisions.end() ? nullptr : &*found;
}

bool is_same(const gate_decision& a, const gate_decision& b) {
  const auto text = [](const std::optional<json_text>& edit) { return edit ? edit->str() : std::string{}; };
  return a.choice == b.choice && a.comment == b.comment && text(a.state_edit) == text(b.state_edit);
}

/// `with another edit and comment`
std::string difference(const gate_decision& before, const gate_decision& now) {
  std::string text;
  const auto add = [&](bool differs, std::string_view what) {
    text += differs ? std::string{text.empty() ? "; what differs is " : " and "} + std::string{what} : std::string{};
  };
  const auto edit_of = [](const gate_decision& each) { return each.state_edit ? each.state_edit->str() : ""; };
  add(before.choice != now.choice, "the decision");
  add(before.comment != now.comment, "the comment");
  add(edit_of(before) != edit_of(now), "the edit");
  return text;
}

error decided_otherwise(const std::string& gate, const gate_decision& before, const gate_decision& now) {
  return {error_code::idempotency_violation,
          before.by + " has decided on " + gate + " already: " + std::string{to_string(before.choice)} + " at " +
              to_rfc3339(before.at) + (before.comment.empty() ? "" : ", \"" + before.comment + '"') +
              difference(before, now) + "; nothing was changed",
          "a decision stays as it was made"};
}

error about_another_action(const std::string& gate, const gate_view& decided, const gate_decision& now) {
  const auto& asked = decided.asked.action_hash;
  return {error_code::idempotency_violation,
          now.by + " has decided on " + gate + " already, and " +
              (asked.empty() ? "not about an action" : "about the action " + asked) + ", not " + now.action_hash +
              "; nothing was changed",
          "a decision stays as it was made"};
}

}  // namespace

int approvals_of(const gate_view& gate) {
  return static_cast<int>(std::ranges::count(gate.decisions, gate_choice::approved, &gate_decision::choice));
}

std::string fate_of(const gate_view& gate) {
  std::vector<std::string> who;
  const auto choice = gate.state == gate_state::rejected ? gate_choice::rejected : gate_choice::approved;
  for (const auto& decision : gate.decisions) {
    if (decision.choice == choice) {
      who.push_back(decision.by);
    }
  }
  std::string text{to_string(gate.state)};
  const bool by_people = gate.state == gate_state::rejected ? !who.empty() : approvals_of(gate) >= gate.asked.votes;
  if (gate.state == gate_state::approved || gate.state == gate_state::rejected) {
    text += by_people ? " by " + listed(who) : ", since nobody decided in time,";
  }
  return gate.closed_at ? text + " at " + to_rfc3339(*gate.closed_at) : text;
}

result<gate_place> find_gate(const run_id& run,
                             const std::vector<gate_view>& gates,
                             const gate_question& wanted,
                             const gate_decision& decision) {
  std::vector<const gate_view*> open;
  const gate_view* newest = nullptr;
  for (const auto& gate : gates) {
    if (is_meant(gate, wanted)) {
      newest = &gate;
      if (gate.state == gate_state::open) {
        open.push_back(&gate);
      }
    }
  }
  if (newest == nullptr) {
    return nothing_asks(run, gates, wanted);
  }
  if (open.size() > 1) {
    return several(run, open, wanted);
  }
  const auto& meant = open.empty() ? *newest : *open.front();
  if (const auto* before = decision_by(meant, decision.by)) {
    if (!decision.action_hash.empty() && decision.action_hash != meant.asked.action_hash) {
      return about_another_action(name_of(run, wanted), meant, decision);
    }
    return is_same(*before, decision) ? result<gate_place>{meant.asked.place}
                                      : result<gate_place>{decided_otherwise(name_of(run, wanted), *before, decision)};
  }
  if (open.empty()) {
    return error{error_code::idempotency_violation,
                 name_of(run, wanted) + " is " + fate_of(meant) + "; nothing was changed",
                 "troupe show " + run.str() + " tells what became of the run"};
  }
  return meant.asked.place;
}

}  // namespace troupe
