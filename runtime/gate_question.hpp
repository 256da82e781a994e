// Which gate somebody decides on, by what people know of it. Pure.
#pragma once

#include "messages/base/result.hpp"
#include "messages/gate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A step's name is enough where it asks once.
struct gate_question {
  step_id step;
  std::optional<superstep_no> superstep{};
  std::optional<int> level{};
  std::optional<task_id> task{};
};

/// A decision that is in the rows.
struct gate_receipt {
  gate_place place;
  bool repeated = false;     ///< It was there already: nothing was written now.
  bool carried_out = false;  ///< The run is carried out by this process, and goes on if that was what it waited for.
};

/// The open gate that is meant; of one that this person has decided on in the same words, that one, so that a decision
/// given twice is taken once. `gates` are all of the run.
/// NOT_FOUND: the step asks nothing, or not there; the hint says what does. INVALID_INPUT: several are meant.
/// IDEMPOTENCY_VIOLATION: it is decided, by whom and when, or this person has decided otherwise, and in what.
result<gate_place> find_gate(const run_id& run,
                             const std::vector<gate_view>& gates,
                             const gate_question& wanted,
                             const gate_decision& decision);

/// `approved by ann and bob at 2026-11-21T07:03:12Z`, `expired at ...`: what became of a gate that is not open.
std::string fate_of(const gate_view& gate);

int approvals_of(const gate_view& gate);

}  // namespace troupe
