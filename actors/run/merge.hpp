// The deltas of a superstep into the run's state, by the reducer of each field. Pure.
#pragma once

#include "messages/base/result.hpp"
#include "messages/workflow.hpp"

#include <boost/json/object.hpp>

#include <span>

namespace troupe {

struct task_delta {
  step_id step;
  agent_name agent;  ///< Empty where a step of several agents gives its consensus.
  field_name field;
  json_text value;
};

/// All of them or none. `deltas` come in graph order, which alone decides where order matters.
/// MERGE_CONFLICT: two tasks write one `fail` field; names field, steps and values.
/// INVALID_INPUT: a value does not suit the reducer (a sum of texts, a merge of a list).
result<boost::json::object> merge(boost::json::object state,
                                  std::span<const state_field> declared,
                                  std::span<const task_delta> deltas);

}  // namespace troupe
