// The journal of a run: its supersteps with all that was recorded of them.
#pragma once

#include "messages/journal.hpp"
#include "storage/statements.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// None: there is no such run.
std::optional<pinned_run> find_pinned_run(statement_cache& sql, const run_id& run);

/// The rows from `from` on, in order, at most `limit`; fewer where their states have more than 8 MiB together, but one at
/// least where there is one. Rows that are not there are left out; what cannot be read is told in `damage`, so that it
/// can be named.
std::vector<recorded_superstep> list_journal(statement_cache& sql,
                                             const run_id& run,
                                             superstep_no from,
                                             std::int64_t limit);

}  // namespace troupe
