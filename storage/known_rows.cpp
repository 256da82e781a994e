#include "storage/known_rows.hpp"

namespace troupe {
namespace {

template <class Id, class Row>
const Row* found_in(const std::unordered_map<Id, Row>& rows, const Id& id) noexcept {
  const auto found = rows.find(id);
  return found == rows.end() ? nullptr : &found->second;
}

template <class Id, class Row>
void keep_in(std::unordered_map<Id, Row>& rows, const Id& id, const Row& row) {
  if (is_final(row.state)) {
    rows.erase(id);
    return;
  }
  if (rows.size() >= known_rows::rows_max && !rows.contains(id)) {
    rows.clear();
  }
  rows.insert_or_assign(id, row);
}

}  // namespace

const run_row* known_rows::find(const run_id& run) const noexcept { return found_in(runs_, run); }

const task_row* known_rows::find(const task_id& task) const noexcept { return found_in(tasks_, task); }

void known_rows::keep(const run_id& run, const run_row& row) { keep_in(runs_, run, row); }

void known_rows::keep(const task_row& row) { keep_in(tasks_, row.names.task, row); }

void known_rows::forget() noexcept {
  runs_.clear();
  tasks_.clear();
}

}  // namespace troupe
