// The deltas of a superstep into the run's state, by the reducer of each field. Pure.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/json_fields.hpp"
#include "messages/workflow.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace troupe {

struct task_delta {
  step_id step;
  agent_name agent;  ///< Empty where a step of several agents gives its consensus.
  field_name field;  ///< Empty: an edit of the whole state by a person, a patch (RFC 7396).
  json_text value;
  std::optional<std::int64_t> item{};  ///< Of a map: whose delta it is.
};

/// The first delta, in graph order, that cannot be applied.
struct merge_refusal {
  step_id step;  ///< Whose delta it is.
  error why;
};

/// The field that a step's failure is told in to the step that its on_error names. By `last`, unless it is declared.
inline constexpr std::string_view last_error_field = "last_error";

/// All of them or none. `deltas` come in graph order, which alone decides where order matters.
/// MERGE_CONFLICT: two tasks write one `fail` field; names field, steps and values.
/// INVALID_INPUT: a value or a field does not suit the reducer (a sum of texts, a merge of a list), or a sum is too large.
/// Takes time in the size of the fields that are written, and a copy of the state's text.
std::variant<json_fields, merge_refusal> merge(const json_fields& state,
                                               std::span<const state_field> declared,
                                               std::span<const task_delta> deltas);

}  // namespace troupe
