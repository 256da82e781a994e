// What a node lets begin and what waits in it, for people.
#pragma once

#include "messages/limits.hpp"
#include "runtime/cli/style.hpp"

#include <string>

namespace troupe {

/// Two lines for the node and its retries, a table of the providers, and one of the waits with the time until then; a
/// table that would be empty is left out. `width` 0: nothing is cut.
std::string limits_text(const node_limits& limits, timestamp now, int width, const style& look);

}  // namespace troupe
