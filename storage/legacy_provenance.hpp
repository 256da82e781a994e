// Which rows of the older system are here already, and where: the tables import_sources and imported_rows.
#pragma once

#include "storage/legacy_entry.hpp"
#include "storage/statements.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

struct imported_row {
  legacy_digest digest{};
  std::int64_t consensus = 0;
  std::optional<std::int64_t> output;
};

/// The source that `entries` were imported from before. A file is recognised by its rows and not by its name: it is the
/// source with which it has the most rows in common, if of the ids that both have at least half have the same content;
/// of several, the oldest. So a file that was moved, copied or has grown is the one it was. Throws SQLite::Exception, as
/// the next one.
std::optional<std::int64_t> find_import_source(statement_cache& sql, const std::vector<legacy_entry>& entries);

std::optional<imported_row> find_imported(statement_cache& sql, std::int64_t source, const legacy_entry& entry);

}  // namespace troupe
