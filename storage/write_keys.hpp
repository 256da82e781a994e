// The key of every command that was committed (WR-4): (run, task, attempt, kind), enforced by the table itself.
#pragma once

#include "messages/writes.hpp"
#include "storage/statements.hpp"

#include <optional>

namespace troupe {

/// Takes the key; `last` is what a repeat will be answered. None: it is ours now, go on. A receipt: the same command was
/// committed before. IDEMPOTENCY_VIOLATION: another one was.
result<std::optional<write_receipt>> claim_key(statement_cache& sql, const write_command& command, event_seq last);

/// After a command that told other events than was expected: what a repeat of it will be answered.
void settle_key(statement_cache& sql, const write_command& command, event_seq last);

}  // namespace troupe
