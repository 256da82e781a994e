// What a run is started with, against what its workflow declares.
#pragma once

#include "config/problem.hpp"
#include "messages/base/json_text.hpp"
#include "messages/workflow.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe {

struct checked_inputs {
  json_text values;               ///< One object: each given input and each default. `{}` while problems has an error.
  std::vector<problem> problems;  ///< INVALID_INPUT: a required one is missing, one is not declared.
};

/// Pure. `given` values are canonical.
checked_inputs check_inputs(const workflow& flow, const std::map<std::string, json_text>& given);

/// The state that the run's first superstep sees: one object of the declared fields that have an initial value.
json_text initial_state(const workflow& flow);

}  // namespace troupe
