// What a child run is started with. Pure.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"
#include "messages/workflow.hpp"

#include <string>

namespace troupe {

/// `item` under the name `as`, those of the parent's `inputs` (a JSON object) that the child declares, and its defaults,
/// as one object. INVALID_INPUT: a required one is not among them, or the child declares none of the name `as`.
result<json_text> child_inputs(const workflow& child,
                               const std::string& as,
                               const json_text& item,
                               const json_text& inputs);

}  // namespace troupe
