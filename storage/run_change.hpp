// One command at work on one run: the row as it stands, and the events that the command tells.
#pragma once

#include "messages/base/result.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"
#include "storage/known_rows.hpp"
#include "storage/statements.hpp"

#include <cstdint>
#include <optional>

namespace troupe {

/// Lives as long as the command is carried out, inside its savepoint.
class run_change {
 public:
  /// `row` is the run's as it stands; for create_run, which has just made it, as it is then.
  run_change(statement_cache& sql, known_rows& known, lease_epoch epoch, run_id run, timestamp at, run_row row)
      : sql_(&sql), known_(&known), epoch_(epoch), run_(std::move(run)), at_(at), row_(std::move(row)), before_(row_) {}

  statement_cache& sql() noexcept { return *sql_; }
  known_rows& known() noexcept { return *known_; }
  lease_epoch epoch() const noexcept { return epoch_; }
  const run_id& run() const noexcept { return run_; }
  timestamp at() const noexcept { return at_; }
  run_row& row() noexcept { return row_; }  ///< For its counters; the state moves by move_to.
  superstep_no open_superstep() const noexcept { return superstep_no{row_.committed.value() + 1}; }

  /// INTERNAL unless it is a legal move; then the row has it.
  status move_to(run_state to);

  /// The next event of the run, at the time of the command.
  void tell(event_kind kind, std::string data);
  void tell(event_kind kind, superstep_no superstep, const step_id& step, std::string data);
  void tell(event_kind kind, superstep_no superstep, std::string data);
  void tell(event_kind kind, const task_reference& task, std::optional<attempt_no> attempt, std::string data);

  /// What another run came to because of this command: its events follow those of this one.
  void bring_along(event_batch of_another);

  /// Writes the run's counters; what was told. Last of all.
  event_batch finish();

 private:
  void append(event told);

  statement_cache* sql_;
  known_rows* known_;
  lease_epoch epoch_;
  run_id run_;
  timestamp at_;
  run_row row_;
  run_row before_;
  event_batch events_;
  event_batch of_others_;
};

/// The run's row, known or read. None: there is no such run.
std::optional<run_row> find_run_at_work(statement_cache& sql, const known_rows& known, const run_id& run);

/// A move that no sender may ask for, or a command that does not fit the rows: a bug of the sender's.
error illegal(std::string what);
/// The work came too late to count.
error too_late(std::string what);

}  // namespace troupe
