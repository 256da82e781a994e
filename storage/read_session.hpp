// Committed rows as values, over a connection that cannot write. Each call is one short read transaction, so that no
// reader holds the log back.
#pragma once

#include "messages/base/result.hpp"
#include "messages/journal.hpp"
#include "messages/limits.hpp"
#include "messages/maintenance.hpp"
#include "messages/views.hpp"
#include "storage/storage_options.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace troupe {

/// Used by one thread at a time. Every call may block on the disk. Unknown run: NOT_FOUND, with the nearest ids as
/// hint.
class read_session {
 public:
  /// Errors: as database::open_read_only.
  static result<std::unique_ptr<read_session>> open(const storage_options& options);

  read_session(const read_session&) = delete;
  read_session& operator=(const read_session&) = delete;
  ~read_session();

  result<run_view> find_run(const run_id& run);

  /// Newest first; the children of a run in the order of their start. `inputs` and `result` are left `{}`: a state may have megabytes.
  result<std::vector<run_view>> list_runs(const run_filter& filter);

  /// By superstep, then graph order.
  result<std::vector<task_view>> list_tasks(const run_id& run);

  /// In order of commit.
  result<std::vector<verdict_view>> list_verdicts(const run_id& run);

  /// Events with a seq above `since`, in order, at most `limit`.
  result<event_batch> list_events(const run_id& run, event_seq since, std::int64_t limit);

  /// Raw output of the tasks of a step, in graph order, from the newest superstep in which the step was. Without
  /// `attempt` the latest attempt of each. NOT_FOUND also where the step or the agent had no task; a task without
  /// recorded output is there with empty output. STORAGE_CORRUPT, naming the file: a large output is not there, or is
  /// not what it was.
  result<std::vector<output_view>> find_output(const run_id& run,
                                               const step_id& step,
                                               const std::optional<agent_name>& agent = std::nullopt,
                                               const std::optional<attempt_no>& attempt = std::nullopt);

  result<recovery_view> load_recovery(const run_id& run);

  /// All gates of a run, in the order in which they were opened. NOT_FOUND where there is no such run.
  result<std::vector<gate_view>> list_gates(const run_id& run);

  /// What waits for a person: open gates of runs that have not ended, the oldest first.
  result<std::vector<pending_view>> list_pending();

  /// Runs that are not final, oldest first.
  result<std::vector<run_id>> list_unfinished(run_scope scope = run_scope::all);

  /// Runs that are running under this lease, and those that sleep until a time, a decision or the end of a child run,
  /// oldest first.
  result<std::vector<run_id>> list_running(lease_epoch epoch);

  /// Tasks whose latest attempt has a process and no end: what a dead owner may have left running. Oldest first.
  result<std::vector<task_view>> list_leftovers();

  /// The state after superstep `superstep` (0: the initial one), rebuilt from changes and full copies.
  result<json_text> find_state(const run_id& run, superstep_no superstep);

  /// The run and what it is pinned to, also where its supersteps are damaged.
  result<pinned_run> find_pinned(const run_id& run);

  /// What was recorded of the supersteps from `from` on, in order: at most `limit` of them, fewer where their states have
  /// more than 8 MiB together, none where none follows. A row that is not there is left out, and what cannot be read of
  /// one is told beside the rest of it: who checks the journal has to name it. 1,000 small ones take some 30 ms.
  result<std::vector<recorded_superstep>> list_supersteps(const run_id& run, superstep_no from, std::int64_t limit);

  /// A large output. STORAGE_CORRUPT, naming the file: it is not there, or is not what it was.
  result<std::string> find_file(const blob_ref& file);

  /// How large the file is, how much of it is free, and when vacuum last passed over it.
  result<maintenance_view> find_maintenance();

  /// What attempts have used up of the providers' limits, one for each provider of the question, in its order.
  provider_use_answer find_provider_use(const provider_use_query& question);

  /// Largest amount first; attempts and days in the order of time.
  result<std::vector<cost_sum>> list_costs(const cost_filter& filter, cost_grouping by);

  /// False where an answer failed by an error of the disk, where the file at the path is another one by now, or where
  /// the database does not answer. Asks it. For a pool, when it hands a session out.
  bool healthy() noexcept;

 private:
  struct state;
  explicit read_session(std::unique_ptr<state> opened) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace troupe
