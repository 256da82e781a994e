// What keeps the file small, on the connection that writes; and what is known of it, on one that reads.
#pragma once

#include "messages/maintenance.hpp"
#include "storage/statements.hpp"

#include <cstdint>
#include <functional>

namespace troupe {

/// Page counts as the connection sees them, its own transaction included. Throws SQLite::Exception, as all here.
database_size measure(SQLite::Database& connection);

/// Gives free pages back, one at a time, as long as `go_on()` and at most `pages`; inside a transaction, which decides
/// whether they are. Gives how many. The file itself is cut when the log is carried over.
std::int64_t give_back_pages(statement_cache& sql, std::int64_t pages, const std::function<bool()>& go_on);

/// Carries the log over as far as readers allow, without waiting for anybody (PASSIVE). Outside of a transaction.
shrink_end carry_log_over(statement_cache& sql);

/// A row for the pass; of rows of vacuum, the newest hundred stay.
void write_pass(statement_cache& sql, const vacuum_report& pass);

vacuum_history read_history(statement_cache& sql);

}  // namespace troupe
