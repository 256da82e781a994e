#include "storage/legacy_provenance.hpp"

#include <algorithm>
#include <map>

namespace troupe {
namespace {

legacy_digest digest_in(const prepared& row, int column) {
  legacy_digest digest{};
  const auto bytes = row.text(column);
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
  return digest;
}

}  // namespace

std::optional<std::int64_t> find_import_source(statement_cache& sql, const std::vector<legacy_entry>& entries) {
  struct likeness {
    std::int64_t same = 0;
    std::int64_t different = 0;
  };
  std::map<std::int64_t, likeness> known;
  for (const auto& entry : entries) {
    auto rows = sql.use("SELECT source_id, content_hash FROM imported_rows WHERE table_name = ? AND row_key = ?",
                        to_string(entry.table),
                        entry.key);
    while (rows.step()) {
      auto& like = known[rows.number(0)];
      ++(digest_in(rows, 1) == entry.digest ? like.same : like.different);
    }
  }
  std::optional<std::int64_t> best;
  for (const auto& [source, like] : known) {
    const bool is_like = like.same > 0 && like.same >= like.different;
    if (is_like && (!best || like.same > known[*best].same)) {
      best = source;
    }
  }
  return best;
}

std::optional<imported_row> find_imported(statement_cache& sql, std::int64_t source, const legacy_entry& entry) {
  auto row = sql.use(
      "SELECT content_hash, consensus_id, agent_output_id FROM imported_rows"
      " WHERE table_name = ? AND row_key = ? AND source_id = ?",
      to_string(entry.table),
      entry.key,
      source);
  return row.step() ? std::optional{imported_row{digest_in(row, 0), row.number(1), row.number_if(2)}} : std::nullopt;
}

}  // namespace troupe
