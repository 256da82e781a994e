// What the write session knows of runs and tasks at work without reading their rows again.
#pragma once

#include "messages/cost.hpp"
#include "messages/event.hpp"
#include "messages/run.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

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
  budget_limits budget{};
  run_id child_of{};  ///< Empty: of nobody.
  std::int64_t unpriced = 0;
  std::chrono::microseconds attempt_time{0};

  friend bool operator==(const run_row&, const run_row&) = default;
};

/// The fields of an event that name a task.
struct task_reference {
  task_id task;
  step_id step;
  superstep_no superstep;
  agent_name agent;
};

/// How the latest attempt's process ended and what it printed, for the event of the task's end.
struct attempt_facts {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::optional<std::pair<std::int64_t, std::int64_t>> printed;  ///< Bytes of stdout and of stderr.
};

/// What of the row `tasks` a command needs to decide.
struct task_row {
  run_id run;
  task_reference names;
  task_state state = task_state::pending;
  attempt_no attempt;                  ///< The latest; 0: none.
  std::optional<attempt_facts> facts;  ///< Once its output is recorded, as far as this session did it.
};

/// Rows as this session last wrote or read them. Only the owner of the lease writes, so that they hold from one
/// transaction to the next; whoever undoes anything (a refused command, a rollback), or sees that another connection
/// has written, has to `forget`.
///
/// Bounded: runs and tasks that are final are dropped, and all of it where there are more than `rows_max` of a kind.
class known_rows {
 public:
  static constexpr std::size_t rows_max = 16'384;

  /// Null where it is not known. Until the next keep, drop or forget.
  const run_row* find(const run_id& run) const noexcept;
  const task_row* find(const task_id& task) const noexcept;

  void keep(const run_id& run, const run_row& row);
  void keep(const task_row& row);

  void forget() noexcept;

 private:
  std::unordered_map<run_id, run_row> runs_;
  std::unordered_map<task_id, task_row> tasks_;
};

}  // namespace troupe
