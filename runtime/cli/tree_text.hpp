// The live tree of a node for people: one line for each actor, indented below its supervisor.
#pragma once

#include "messages/supervision.hpp"
#include "runtime/cli/style.hpp"

#include <span>
#include <string>

namespace troupe {

/// A table with titles. `width` 0: nothing is cut.
std::string tree_text(std::span<const child_view> children, int width, const style& look);

}  // namespace troupe
