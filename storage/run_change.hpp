// One command at work on one run: the row as it stands, and the events that the command tells.
#pragma once

#include "messages/base/result.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"
#include "storage/statements.hpp"

#include <cstdint>

namespace troupe {

/// What of the row `runs` a command needs to decide.
struct run_row {
  run_state state = run_state::pending;
  superstep_no committed;  ///< The open superstep is the next one.
  event_seq last;
  std::int64_t steps = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost_microusd = 0;
  std::string state_hash;
};

/// The fields of an event that name a task.
struct task_reference {
  task_id task;
  step_id step;
  superstep_no superstep;
  agent_name agent;
};

/// Lives as long as the command is carried out, inside its savepoint.
class run_change {
 public:
  /// NOT_FOUND: there is no such run. CANCELLED: it has ended, and final states absorb.
  static result<run_change> of(statement_cache& sql, lease_epoch epoch, const run_id& run, timestamp at);

  /// For create_run, which has just made the row.
  run_change(statement_cache& sql, lease_epoch epoch, run_id run, timestamp at, run_row row)
      : sql_(&sql), epoch_(epoch), run_(std::move(run)), at_(at), row_(std::move(row)) {}

  statement_cache& sql() noexcept { return *sql_; }
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

  /// Writes the run's counters; what was told. Last of all.
  event_batch finish();

 private:
  void append(event told);

  statement_cache* sql_;
  lease_epoch epoch_;
  run_id run_;
  timestamp at_;
  run_row row_;
  bool moved_ = false;
  event_batch events_;
};

/// A move that no sender may ask for, or a command that does not fit the rows: a bug of the sender's.
error illegal(std::string what);
/// The work came too late to count.
error too_late(std::string what);

}  // namespace troupe
