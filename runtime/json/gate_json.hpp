// Gates and decisions for programs, and for a command that asks another process.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/result.hpp"
#include "messages/gate.hpp"
#include "runtime/gate_question.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// `{"run":…,"step":…,"superstep":…,"level":…,"task":…,"kind":"step","state":"open","prompt":…,"action_hash":…,"votes":…,
/// "approvals":…,"voters":[…],"opened_at":…,"expires_at":…,"on_expiry":…,"closed_at":…,"decisions":[{"by":…,"decision":…,
/// "comment":…,"edit":…,"at":…}]}`: what is not known is null; `on_expiry` is null where it does not expire.
std::string gate_json(const gate_view& gate);
std::string gates_json(std::span<const gate_view> gates);

/// `{"pending":[…]}`, each a gate with `workflow` and `subject`.
std::string pending_json(std::span<const pending_view> pending);

/// The body of POST /v1/runs/{id}/gates/{step}: `{"decision":"approved"|"rejected","by":…,"comment":…,"edit":{…},
/// "action_hash":…,"superstep":…,"level":…,"task":…}`; all but the first two may be missing.
struct asked_decision {
  gate_question which;
  gate_decision decision;
};

std::string decision_json(const asked_decision& asked);

/// INVALID_INPUT: what the body has to be. The step is not in it.
result<asked_decision> read_decision(std::string_view body);

/// An object, as a patch of the state has to be (RFC 7396), in the form that rows have. INVALID_INPUT.
result<json_text> read_edit(std::string_view text);

/// `{"superstep":…,"step":…,"level":…,"task":…,"repeated":false,"carried_out":true}`
std::string receipt_json(const gate_receipt& receipt);

/// What receipt_json wrote. INTERNAL: it did not.
result<gate_receipt> read_receipt(std::string_view body);

}  // namespace troupe
