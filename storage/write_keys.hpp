// The key of every command that was committed (WR-4): (run, task, attempt, kind), enforced by the table itself.
#pragma once

#include "messages/writes.hpp"
#include "storage/statements.hpp"

#include <optional>

namespace troupe {

/// Takes the key for a command that was carried out; `last` is what a repeat will be answered. False where it is taken:
/// then the command must be undone.
bool take_key(statement_cache& sql, const write_command& command, event_seq last);

/// Why a command cannot be carried out, if its key says so. A receipt: the same command was committed before.
/// IDEMPOTENCY_VIOLATION: another one was. None: the key is free.
result<std::optional<write_receipt>> find_key(statement_cache& sql, const write_command& command);

}  // namespace troupe
