#include "storage/children.hpp"

#include "storage/runs.hpp"

#include <string>
#include <vector>

namespace troupe {
namespace {

std::vector<run_id> unfinished_children(run_change& change) {
  auto row = change.sql().use(
      "SELECT run_id FROM runs WHERE parent_run_id = ? AND parent_task_id IS NOT NULL"
      " AND state IN ('pending', 'running', 'paused') ORDER BY started_at, id",
      change.run());
  std::vector<run_id> runs;
  while (row.step()) {
    runs.emplace_back(row.text(0));
  }
  return runs;
}

}  // namespace

status end_children(run_change& change) {
  for (const auto& child : unfinished_children(change)) {
    auto row = find_run_at_work(change.sql(), change.known(), child);
    if (!row) {
      return illegal("run " + child.str() + " has no row");
    }
    run_end as;
    as.state = run_state::cancelled;
    as.why = error{error_code::cancelled, "its parent, run " + change.run().str() + ", has ended", ""};
    const end_run told{child, std::move(as), row->last, change.at()};
    run_change own{change.sql(), change.known(), change.epoch(), child, change.at(), *std::move(row)};
    if (auto ended = end(own, told); !ended) {
      return ended;
    }
    change.bring_along(own.finish());
  }
  return done;
}

std::string pinned_config_of(statement_cache& sql, const create_run& told) {
  if (told.config_hash.empty() && told.parent) {
    auto row = sql.use("SELECT config_hash FROM runs WHERE run_id = ?", *told.parent);
    return row.step() ? row.text(0) : std::string{};
  }
  return told.config_hash;
}

}  // namespace troupe
