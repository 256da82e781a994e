#include "storage/outputs.hpp"

#include "storage/tasks.hpp"

#include <algorithm>
#include <string_view>

namespace troupe {
namespace {

std::string_view bytes_of(const std::shared_ptr<const std::string>& stream) {
  return stream ? std::string_view{*stream} : std::string_view{};
}

/// Never less than what was kept.
std::int64_t printed_of(const std::shared_ptr<const std::string>& stream, std::int64_t told) {
  return std::max(static_cast<std::int64_t>(bytes_of(stream).size()), told);
}

void insert_output(run_change& change, const record_output& told) {
  const auto out = bytes_of(told.standard_output);
  const auto err = bytes_of(told.standard_error);
  const auto out_kept = static_cast<std::int64_t>(out.size());
  const auto err_kept = static_cast<std::int64_t>(err.size());
  change.sql().run(
      "INSERT INTO attempt_output (task_id, attempt, stdout, stdout_kept, stdout_printed, stderr, stderr_kept,"
      " stderr_printed, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      told.task,
      told.attempt,
      borrowed_blob{out},
      out_kept,
      printed_of(told.standard_output, told.standard_output_bytes),
      borrowed_blob{err},
      err_kept,
      printed_of(told.standard_error, told.standard_error_bytes),
      told.at);
}

void save_exit(run_change& change, const record_output& told) {
  change.sql().run(
      "UPDATE attempts SET state = 'validating', output_at = ?3, exit_code = ?4, signal = ?5, cpu_us = ?6,"
      " resident_bytes_max = ?7, tree_gone = ?8 WHERE task_id = ?1 AND attempt = ?2",
      told.task,
      told.attempt,
      told.at,
      told.exit.exit_code,
      told.exit.signal,
      std::int64_t{told.exit.cpu_time.count()},
      told.exit.resident_bytes_max,
      told.exit.tree_gone);
}

}  // namespace

status record(run_change& change, const record_output& told) {
  auto found = find_task(change, told.task);
  if (!found) {
    return found.error();
  }
  auto& task = *found;
  if (auto latest = must_be_latest(task, told.attempt); !latest) {
    return latest;
  }
  if (auto moved = move_task(task, task_state::validating); !moved) {
    return moved;
  }
  insert_output(change, told);
  save_exit(change, told);
  change.sql().run("UPDATE tasks SET state = 'validating' WHERE task_id = ?", told.task);
  task.facts = attempt_facts{told.exit.exit_code,
                             told.exit.signal,
                             std::pair{printed_of(told.standard_output, told.standard_output_bytes),
                                       printed_of(told.standard_error, told.standard_error_bytes)}};
  change.known().keep(task);
  return done;
}

}  // namespace troupe
