// A run as a state machine over its declared graph: the brain of the run actor.
//
// In: the rows of the run, then outcomes of tasks. Out: attempts to start, and the superstep to commit. The plan is the
// same after a crash, because it is made of the same rows: a fresh run is restored from the rows that created it.
#pragma once

#include "actors/run/merge.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"
#include "messages/control.hpp"
#include "messages/run.hpp"
#include "messages/views.hpp"
#include "messages/workflow.hpp"
#include "messages/writes.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// What can carry a step out: the agents of the run's pinned configuration and the functions of the host.
struct executors {
  std::map<agent_name, agent_spec> agents;
  function_table functions;
  retry_policy retry;  ///< Of steps that have none of their own.
  milliseconds kill_grace{5'000};
  milliseconds drain_grace{2'000};
};

/// The first rows of a run: its initial state and its first front. `inputs` is a JSON object.
/// INVALID_WORKFLOW: the graph cannot be run by this version (config/workflow_check says so first).
result<create_run> first_rows(const workflow& flow,
                              const json_text& inputs,
                              const std::string& subject,
                              const run_id& run);

/// Deterministic: no clock, no randomness, no I/O. One thread.
///
/// Invariants (each with a test in tests/actors/run/plan_test.cpp):
///   1. Tasks are admitted in graph order, never more than max_concurrent at once, never more than max_steps in all.
///   2. A superstep is closed when each of its tasks has a final outcome, and not before.
///   3. What a superstep comes to depends on the outcomes, not on the order in which they came.
///   4. The tasks of a superstep see the state as it was when the superstep before it was committed.
///   5. A task that waits to be tried again is not among the max_concurrent.
///   6. Who failed, though not permanently, where several are asked, is tried once more when the others are a quorum, and
///      has failed when they are not.
///   7. When a race is won, or a deadline of a step has passed, whoever of it is not done is stopped, and the superstep
///      is not closed before.
class plan {
 public:
  /// A task waits to be tried again at a time that its row says.
  struct retry_at {
    task_id task;
    timestamp due;
  };

  /// From `began`, where the step's first attempt is in the rows; else from now.
  struct step_deadline {
    enum class kind { soft, hard };
    step_id step;
    superstep_no superstep;
    kind is = kind::soft;
    std::optional<timestamp> began;
    milliseconds after{0};
  };

  struct stop_order {
    task_id task;
    stop_cause cause = stop_cause::lost_race;
  };

  /// From rows. The open superstep's final tasks keep their outcomes; the others are to be done.
  /// INTERNAL: the rows contradict the workflow.
  static result<plan> restore(workflow_ptr flow, const recovery_view& rows, std::shared_ptr<const executors> with);

  plan(plan&&) noexcept = default;
  plan& operator=(plan&&) noexcept = default;

  /// The next attempts that may start now, in graph order. Each is given out once; admitted tasks stay admitted until
  /// one of the following says what became of the attempt.
  std::vector<attempt_order> admit();

  /// admit() would give something.
  bool may_admit() const;

  /// The committed outcome of an admitted task: final, interrupted, or retrying. An outcome for a task that is final
  /// already is ignored. `began`: when the attempt was started, if it was.
  void finished(const task_id& task, task_outcome outcome, std::optional<timestamp> began = std::nullopt);

  /// The attempt did not begin, and nobody has recorded anything of it: the task waits until due().
  void hold(const task_id& task);

  /// The time to try a task again has come. Ignored for one that does not wait for it.
  void due(const task_id& task);

  /// A deadline of a step has passed. Ignored where its superstep is over.
  void overdue(const step_deadline& deadline);

  /// Attempts that have become pointless since the last call: each is told once, and stays admitted until finished().
  std::vector<stop_order> take_stops();

  /// Deadlines of steps that have begun since the last call.
  std::vector<step_deadline> take_deadlines();

  /// Tasks that wait for a time, by the rows that the plan was restored from.
  std::vector<retry_at> retries() const;

  /// Every task of the superstep is final, or max_steps does not let the rest begin and nothing runs.
  bool complete() const;

  /// What to commit. Only when complete(). It may end the run: with success when no step follows, with the error of a
  /// step that failed, or with MAX_STEPS_EXCEEDED.
  commit_superstep close() const;

  /// The commit is on disk: the next superstep begins, unless it ended the run.
  void committed(const commit_superstep& closed);

  const run_id& run() const noexcept { return run_; }
  int priority() const noexcept { return flow_->limits.priority; }
  superstep_no superstep() const noexcept { return superstep_; }
  int running() const noexcept;

 private:
  plan() = default;

  struct task_entry {
    planned_task planned;
    const step* declared = nullptr;
    attempt_no attempt;  // the last that was given out
    enum class phase {
      waiting,  // may be admitted
      admitted,
      delayed,  // until due()
      parked,   // until the others of its step have answered
      over
    } at = phase::waiting;
    task_outcome outcome;  // of the last attempt that ended, as far as it matters
    int failures = 0;
    int degraded_tries = 0;
    std::optional<timestamp> first_started;
    std::optional<timestamp> retry_at;
    int finish_place = 0;  // among those that have answered, from 1
    bool stop_told = false;
    bool given_up = false;  // over without a final row: the superstep writes it

    bool is_over() const { return at == phase::over; }
    bool has_answered() const { return is_over() && outcome.value.has_value(); }
  };

  // What is known of a step of this superstep beyond its tasks.
  struct step_progress {
    bool deadlines_told = false;
    bool soft_passed = false;
    bool hard_passed = false;
  };
  using step_tasks = std::span<task_entry>;

  struct front_judgement {
    std::vector<step_verdict> verdicts;
    std::vector<task_delta> deltas;
    std::optional<error> why;  // of the first step in graph order that has no result
    step_id failed_step;
  };

  attempt_order order_of(const task_entry& task) const;
  result<std::string> prompt_of(const task_entry& task) const;
  bool exhausted() const;
  bool may_still_answer(const task_entry& task) const;
  bool may_begin(const task_entry& task) const;
  std::vector<step_tasks> steps();
  void settle();
  void settle_step(step_tasks tasks);
  static void settle_parked(step_tasks members, bool enough);
  void stop_rest(step_tasks tasks, stop_cause cause);
  static void give_up(task_entry& task, task_state as, error why);
  static task_entry entry_of(const task_view& row, const step& declared);
  void place_answers(const std::vector<task_view>& rows);
  task_entry& entry(const task_id& id);
  front_judgement judge_front() const;
  void judge_step(front_judgement& judged, std::span<const task_entry> tasks) const;
  static std::vector<agent_answer> answers_of(std::span<const task_entry> tasks);
  static void add_deltas(std::vector<task_delta>& deltas,
                         const step& declared,
                         std::span<const task_entry> tasks,
                         const json_text& winner);
  void merge_into(commit_superstep& closed, const std::vector<task_delta>& deltas) const;
  bool degraded_after(const commit_superstep& closed) const;
  void fail(commit_superstep& closed, const step_id& where, error why) const;

  workflow_ptr flow_;
  std::shared_ptr<const executors> with_;
  run_id run_;
  std::string subject_;
  std::shared_ptr<const json_text> inputs_;
  std::shared_ptr<const json_text> state_;
  superstep_no superstep_;
  std::int64_t executed_ = 0;  // task executions admitted so far, of all supersteps
  bool degraded_ = false;
  std::vector<task_entry> tasks_;
  std::map<step_id, step_progress> steps_;
  int answered_ = 0;  // tasks of this superstep that have answered: who was first
  std::vector<stop_order> stops_;
};

}  // namespace troupe
