#include "runtime/json/gate_json.hpp"

#include "actors/json/json.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/members.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace troupe {
namespace {

namespace json = boost::json;

std::string decisions_json(const gate_view& gate) {
  list_writer list;
  for (const auto& decision : gate.decisions) {
    object_writer object;
    object.text("by", decision.by).text("decision", to_string(decision.choice));
    object.text_or_null("comment", decision.comment);
    if (decision.state_edit) {
      object.raw("edit", *decision.state_edit);
    } else {
      object.null("edit");
    }
    list.raw(object.time("at", decision.at).str());
  }
  return list.str();
}

object_writer gate_members(const gate_view& gate) {
  const auto& asked = gate.asked;
  list_writer voters;
  for (const auto& voter : asked.voters) {
    voters.text(voter);
  }
  object_writer object;
  object.text("run", gate.run.str()).text("step", asked.place.step.str());
  object.number("superstep", asked.place.superstep.value()).number("level", asked.place.level);
  object.text_or_null("task", asked.place.task ? asked.place.task->str() : "");
  object.text("kind", to_string(asked.kind)).text("state", to_string(gate.state)).text("prompt", asked.prompt);
  object.text_or_null("action_hash", asked.action_hash).number("votes", asked.votes);
  object.number("approvals", approvals_of(gate)).raw("voters", voters.str());
  object.time("opened_at", gate.opened_at).time("expires_at", gate.expires_at);
  object.text_or_null("on_expiry", gate.expires_at ? to_string(asked.on_expiry) : "");
  object.time("closed_at", gate.closed_at).raw("decisions", decisions_json(gate));
  return object;
}

error no_decision(std::string message) {
  return {
      error_code::invalid_input,
      std::move(message) + "; nothing was decided",
      R"(send {"decision":"approved","by":"NAME"}, or "rejected"; comment, edit, action_hash, superstep, level and )"
      R"(task may be added)"};
}

// A text that may be missing. False where it is something else.
bool take_text(const json::object& from, std::string_view name, std::string& into) {
  const auto* const found = from.if_contains(json::string_view{name.data(), name.size()});
  if (found == nullptr || found->is_null()) {
    return true;
  }
  if (!found->is_string()) {
    return false;
  }
  into = std::string{std::string_view{found->get_string()}};
  return true;
}

// The same for a whole number from 1.
template <class Number>
bool take_number(const json::object& from, std::string_view name, std::optional<Number>& into) {
  const auto* const found = from.if_contains(json::string_view{name.data(), name.size()});
  if (found == nullptr || found->is_null()) {
    return true;
  }
  if (!found->is_int64() || found->get_int64() < 1 || found->get_int64() > INT32_MAX) {
    return false;
  }
  into.emplace(static_cast<int>(found->get_int64()));
  return true;
}

bool take_place(const json::object& from, gate_question& into) {
  std::string task;
  const bool whole = take_number(from, "superstep", into.superstep) && take_number(from, "level", into.level) &&
                     take_text(from, "task", task);
  if (!task.empty()) {
    into.task.emplace(std::move(task));
  }
  return whole;
}

}  // namespace

std::string gate_json(const gate_view& gate) { return gate_members(gate).str(); }

std::string gates_json(std::span<const gate_view> gates) {
  list_writer list;
  for (const auto& gate : gates) {
    list.raw(gate_json(gate));
  }
  return list.str();
}

std::string pending_json(std::span<const pending_view> pending) {
  list_writer list;
  for (const auto& each : pending) {
    list.raw(gate_members(each.gate).text("workflow", each.workflow).text("subject", each.subject).str());
  }
  return object_writer{}.raw("pending", list.str()).str();
}

std::string decision_json(const asked_decision& asked) {
  const auto& decision = asked.decision;
  object_writer object;
  object.text("decision", to_string(decision.choice)).text("by", decision.by);
  object.text_or_null("comment", decision.comment).text_or_null("action_hash", decision.action_hash);
  if (decision.state_edit) {
    object.raw("edit", *decision.state_edit);
  }
  if (asked.which.superstep) {
    object.number("superstep", asked.which.superstep->value());
  }
  if (asked.which.level) {
    object.number("level", *asked.which.level);
  }
  object.text_or_null("task", asked.which.task ? asked.which.task->str() : "");
  return object.str();
}

result<json_text> read_edit(std::string_view text) {
  const auto value = parse(text);
  if (!value) {
    return error{error_code::invalid_input, "the edit is no JSON: " + value.error().message, value.error().hint};
  }
  if (!value->is_object()) {
    return error{error_code::invalid_input,
                 "an edit is a JSON object: the fields of the state to change",
                 R"(for one: {"title":"Better"}; null takes a field out (RFC 7396))"};
  }
  return canonical(*value);
}

result<asked_decision> read_decision(std::string_view body) {
  const auto value = parse(body);
  if (!value || !value->is_object()) {
    return no_decision("the body is no JSON object");
  }
  const auto& object = value->get_object();
  asked_decision asked;
  std::string choice;
  auto& decision = asked.decision;
  const bool whole = take_text(object, "decision", choice) && take_text(object, "by", decision.by) &&
                     take_text(object, "comment", decision.comment) &&
                     take_text(object, "action_hash", decision.action_hash) && take_place(object, asked.which);
  if (!whole) {
    return no_decision("a member of the body is of the wrong type");
  }
  const auto known = gate_choice_from(choice);
  if (!known) {
    return no_decision("the body says neither approved nor rejected");
  }
  decision.choice = *known;
  if (decision.by.empty()) {
    return no_decision("the body does not say who decides");
  }
  const auto* const edit = object.if_contains("edit");
  if (edit != nullptr && !edit->is_null()) {
    if (!edit->is_object()) {
      return no_decision("the edit is no JSON object");
    }
    decision.state_edit = canonical(*edit);
  }
  return asked;
}

std::string receipt_json(const gate_receipt& receipt) {
  return object_writer{}
      .number("superstep", receipt.place.superstep.value())
      .text("step", receipt.place.step.str())
      .number("level", receipt.place.level)
      .text_or_null("task", receipt.place.task ? receipt.place.task->str() : "")
      .boolean("repeated", receipt.repeated)
      .boolean("carried_out", receipt.carried_out)
      .str();
}

result<gate_receipt> read_receipt(std::string_view body) {
  const auto told = object_of(body, "carried_out");
  if (!told) {
    return told.error();
  }
  gate_receipt receipt;
  receipt.place = {superstep_no{number_in(*told, "superstep")},
                   step_id{text_in(*told, "step")},
                   static_cast<int>(number_in(*told, "level")),
                   std::nullopt};
  if (const auto task = text_in(*told, "task"); !task.empty()) {
    receipt.place.task.emplace(task);
  }
  receipt.repeated = truth_in(*told, "repeated");
  receipt.carried_out = truth_in(*told, "carried_out");
  return receipt;
}

}  // namespace troupe
