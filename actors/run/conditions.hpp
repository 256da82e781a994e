// Whether a condition of the workflow holds of a state. Pure.
#pragma once

#include "actors/json/opened_fields.hpp"
#include "messages/workflow.hpp"

namespace troupe {

/// A pointer that leads nowhere makes every comparison false but `ne` and `exists = false`. `eq`, `ne` and `in` compare
/// JSON values, numbers by their amount; `gt`, `ge`, `lt` and `le` compare two numbers or two texts (by code point), and
/// are false of anything else.
bool holds(const condition& when, const opened_fields& state);

}  // namespace troupe
