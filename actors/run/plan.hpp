// A run as a state machine over its declared graph: the brain of the run actor.
//
// In: the rows of the run, then outcomes of tasks. Out: attempts to start, and the superstep to commit. The plan is the
// same after a crash, because it is made of the same rows: a fresh run is restored from the rows that created it.
#pragma once

#include "actors/run/merge.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"
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
class plan {
 public:
  /// From rows. The open superstep's final tasks keep their outcomes; the others are to be done.
  /// INTERNAL: the rows contradict the workflow.
  static result<plan> restore(workflow_ptr flow, const recovery_view& rows, std::shared_ptr<const executors> with);

  plan(plan&&) noexcept = default;
  plan& operator=(plan&&) noexcept = default;

  /// The next attempts that may start now, in graph order. Each is given out once; admitted() tasks stay admitted until
  /// finished() or put_back().
  std::vector<attempt_order> admit();

  /// The final outcome of an admitted task. An outcome for a task that is final already is ignored.
  void finished(const task_id& task, task_outcome outcome);

  /// The attempt was interrupted: the task waits for its next attempt.
  void put_back(const task_id& task);

  /// Every task of the superstep is final, or max_steps does not let the rest begin and nothing runs.
  bool complete() const;

  /// What to commit. Only when complete(). It may end the run: with success when no step follows, with the error of a
  /// step that failed, or with MAX_STEPS_EXCEEDED.
  commit_superstep close() const;

  /// The commit is on disk: the next superstep begins, unless it ended the run.
  void committed(const commit_superstep& closed);

  const run_id& run() const noexcept { return run_; }
  superstep_no superstep() const noexcept { return superstep_; }
  int running() const noexcept;

 private:
  plan() = default;

  struct task_entry {
    planned_task planned;
    const step* declared = nullptr;
    attempt_no attempt;  // the last that was given out
    enum class phase { waiting, admitted, over } at = phase::waiting;
    task_outcome outcome;
  };

  struct front_judgement {
    std::vector<step_verdict> verdicts;
    std::vector<task_delta> deltas;
    std::optional<error> why;  // of the first step in graph order that has no result
    step_id failed_step;
  };

  attempt_order order_of(const task_entry& task) const;
  bool exhausted() const;
  task_entry& entry(const task_id& id);
  front_judgement judge_front() const;
  void judge_step(front_judgement& judged, std::span<const task_entry> tasks) const;
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
};

}  // namespace troupe
