// What a node's writer tells SQLite, so that SQLite alone can be told the same: the same rows in the same transactions.
#pragma once

#include "storage/database.hpp"

#include <string>
#include <vector>

namespace troupe::perf {

/// Statements that change rows, with their values in them, and the BEGIN and COMMIT around them. Looks at rows and
/// savepoints are left out: they are the writer's own.
using recorded_changes = std::vector<std::string>;

/// Of connections that are opened from now on.
void watch_changes();

/// Any thread. Between these two, what all watched connections change.
void record_changes();
recorded_changes take_changes();

/// Carries them out by statements that were prepared before. Microseconds. Throws what goes wrong.
double repeat_changes(database& file, const recorded_changes& told);

}  // namespace troupe::perf
