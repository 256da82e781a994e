// A run as a state machine over its declared graph: the brain of the run actor.
//
// In: the rows of the run, then outcomes of tasks and decisions of people. Out: attempts to start, questions to ask, and
// the superstep to commit. The plan is the same after a crash and in a replay, because it is made of the same rows: a
// fresh run is restored from the rows that created it.
#pragma once

#include "actors/json/opened_fields.hpp"
#include "actors/run/gate_asking.hpp"
#include "actors/run/merge.hpp"
#include "actors/run/routing.hpp"
#include "actors/run/template_rendering.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"
#include "messages/control.hpp"
#include "messages/cost.hpp"
#include "messages/gate.hpp"
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
#include <unordered_map>
#include <vector>

namespace troupe {

/// What can carry a step out: the agents of the run's pinned configuration and the functions of the host.
struct executors {
  std::map<agent_name, agent_spec> agents;
  function_table functions;
  retry_policy retry;                           ///< Of steps that have none of their own.
  std::shared_ptr<const price_table> prices{};  ///< Null: none.
  milliseconds kill_grace{5'000};
  milliseconds drain_grace{2'000};
};

/// What a task came to, as its row has it; of one that waits to be tried again, until when.
task_outcome outcome_of(const task_view& row);

/// The first rows of a run: its initial state and its first front. `inputs` is a JSON object.
/// INVALID_WORKFLOW: the start does not exist (config/workflow_check says so first). INVALID_INPUT: it is a gate whose
/// prompt names what is not there.
result<create_run> first_rows(const workflow& flow,
                              const json_text& inputs,
                              const std::string& subject,
                              const run_id& run);

/// Deterministic: no clock, no randomness, no I/O. One thread.
///
/// Invariants (each with a test in tests/actors/run/plan_test.cpp):
///   1. Tasks are admitted in graph order, never more than max_concurrent at once, never more than max_steps in all. Which
///      ones max_steps lets begin does not depend on how many run at once.
///   2. A superstep is closed when each of its tasks has a final outcome, and not before.
///   3. What a superstep comes to depends on the outcomes, not on the order in which they came.
///   4. The tasks of a superstep see the state as it was when the superstep before it was committed.
///   5. A task that waits to be tried again is not among the max_concurrent.
///   6. Who failed, though not permanently, where several are asked, is tried once more when the others are a quorum, and
///      has failed when they are not.
///   7. When a race is won, or a deadline of a step has passed, whoever of it is not done is stopped, and the superstep
///      is not closed before.
///   8. A gate holds up what follows it, and nothing else: its decision goes into the superstep that is open when it is
///      made. Where only gates are left, the plan is waiting, not complete.
///   9. A task that was interrupted runs again, fails, or waits for a person, as on_crash and the effects say.
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

  /// Nobody has decided on the gate by then: expire_gate.
  struct gate_deadline {
    gate_place place;
    timestamp due;
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
  /// already is ignored. `began`: when the attempt was started, if it was. `at`: when it ended, as its row says: who was
  /// first decides a race, and of two at one time the one before in graph order.
  void finished(const task_id& task,
                task_outcome outcome,
                std::optional<timestamp> began = std::nullopt,
                std::optional<timestamp> at = std::nullopt);

  /// An admitted attempt begins now: until then it may have waited for a permit.
  void begun(const task_id& task);

  /// The attempt did not begin, and nobody has recorded anything of it: the task waits until due().
  void hold(const task_id& task);

  /// The task's child run waits for a person: the attempt was given up until unblocked(), and nothing else is held up.
  void blocked(const task_id& task);

  /// Its child run has ended, or goes on. Ignored for one that does not wait for it.
  void unblocked(const task_id& task);

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

  /// Questions to commit (open_gate) since the last call: what becomes of tasks that were interrupted.
  std::vector<gate_opening> take_questions();

  /// The run's gates as their rows are now: open, or decided and not taken.
  void learn(std::vector<gate_view> gates);

  /// Of every gate that is open and has one.
  std::vector<gate_deadline> gate_deadlines() const;

  /// Those that nobody has decided on, as far as the plan knows.
  std::vector<gate_place> open_gates() const;

  /// Nothing runs or will run before somebody decides on a gate.
  bool waiting() const;

  /// Every task of the superstep is final, or max_steps does not let the rest begin and nothing runs; and there is a
  /// task or a decision to commit.
  bool complete() const;

  /// What to commit. Only when complete(). It may end the run: with success when no step follows, with the error of a
  /// step that failed, or with MAX_STEPS_EXCEEDED. The plan keeps the new state, so that committed() need not read it.
  commit_superstep close();

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
    std::optional<json_text> item;  // of a map
    attempt_no attempt;             // the last that was given out
    enum class phase {
      waiting,  // may be admitted
      admitted,
      delayed,  // until due()
      parked,   // until the others of its step have answered
      asking,   // until a person has said what becomes of it
      blocked,  // until unblocked(): its child run waits for a person
      over
    } at = phase::waiting;
    task_outcome outcome;  // of the last attempt that ended, as far as it matters
    int failures = 0;
    int degraded_tries = 0;
    std::optional<timestamp> first_started;
    std::optional<timestamp> retry_at;
    std::optional<timestamp> finished_at;
    bool stop_told = false;
    bool given_up = false;  // over without a final row: the superstep writes it
    bool question_told = false;

    bool is_over() const { return at == phase::over; }
    bool has_answered() const { return is_over() && outcome.value.has_value(); }
  };

  using step_tasks = std::span<task_entry>;

  // A step of this superstep. It has no task where it is a map of nothing, or a gate that nobody was asked about.
  struct open_step {
    graph_path path;
    const step* declared = nullptr;
    std::size_t first = 0;  // of its tasks
    std::size_t count = 0;
    bool has_begun = false;
    bool deadlines_told = false;
    bool soft_passed = false;
    bool hard_passed = false;
  };

  // What one step or gate of the superstep has come to.
  struct judged_part {
    graph_path path;
    std::vector<task_delta> deltas{};
    std::optional<step_end> ended{};
    std::optional<gate_again> again{};
    std::optional<merge_refusal> fatal{};  // it failed, and has no on_error
  };

  // All of them, in graph order.
  struct front_judgement {
    std::vector<step_verdict> verdicts;
    std::vector<judged_part> parts;
    std::vector<gate_place> taken;
  };

  // plan.cpp: tasks and their attempts
  void enter(opened_fields state);
  void open(const superstep_standing& standing, const std::vector<planned_task>& tasks);
  attempt_order order_of(const task_entry& task) const;
  void add_executor(attempt_order& order, const task_entry& task) const;
  void add_function(attempt_order& order, const function_call& call) const;
  void add_agent(attempt_order& order, const task_entry& task) const;
  void add_child(attempt_order& order, const task_entry& task) const;
  result<std::string> prompt_of(const task_entry& task) const;
  prompt_names names_of(const step& declared) const;
  void bar();
  bool is_barred(const task_entry& task) const;
  bool may_begin(const task_entry& task) const;
  int room_of(const open_step& at) const;
  void learn(task_entry& task, const task_view& row);
  task_entry& entry(const task_id& id);
  void wake(const task_id& task, task_entry::phase from);
  step_tasks members(const open_step& at) { return {tasks_.data() + at.first, at.count}; }
  std::span<const task_entry> members(const open_step& at) const { return {tasks_.data() + at.first, at.count}; }

  // plan_waiting.cpp: who of a step is still waited for
  bool may_still_answer(const task_entry& task) const;
  void settle();
  void settle_step(open_step& at);
  void settle_step_of(const task_entry& task);
  open_step& step_of(const task_entry& task);
  void settle_parked(step_tasks members, bool enough);
  void stop_rest(step_tasks tasks, stop_cause cause);
  void give_up(task_entry& task, task_state as, error why);

  // plan_gates.cpp: what people decide
  void settle_interrupted(task_entry& task);
  crash_policy crash_policy_of(const step& declared) const;
  const gate_view* crash_gate_of(const task_entry& task) const;
  static bool is_decided(const gate_view& gate);
  bool has_decision() const;
  bool has_open_gate() const;
  bool has_moved(const commit_superstep& closed) const;
  bool has_gate_beside(const std::vector<gate_place>& taken) const;

  // plan_decisions.cpp: what decisions of people come to
  using gate_list = std::vector<const gate_view*>;
  gate_list decided_gates() const;
  void judge_gates(front_judgement& judged) const;
  judged_part judge_gate(const gate_view& gate, const opened_fields& seen, bool has_changed) const;
  judged_part judge_expired(const gate_view& gate, const opened_fields& seen) const;
  opened_fields seen_by(const gate_list& gates,
                        const std::vector<judged_part>& of_steps,
                        const gate_list& changed) const;
  bool find_changed(const gate_list& gates,
                    const std::vector<judged_part>& of_steps,
                    const std::vector<judged_part>& own,
                    gate_list& changed) const;
  bool is_void(const gate_view& gate, const opened_fields& after) const;
  std::optional<opened_fields> state_after(const std::vector<judged_part>& of_steps,
                                           const std::vector<judged_part>& own) const;

  // plan_closing.cpp: verdicts, the new state, what follows
  front_judgement judge_front() const;
  void judge_step(front_judgement& judged, const open_step& at) const;
  void judge_answers(front_judgement& judged, const open_step& at) const;
  void judge_items(front_judgement& judged, const open_step& at) const;
  void end_step(judged_part& part, const open_step& at, const json_text& value) const;
  static void fail_step(judged_part& part, const step& declared, error why);
  std::vector<agent_answer> answers_of(const open_step& at) const;
  std::vector<std::string> front_names(const commit_superstep& closed) const;
  void merge_into(commit_superstep& closed, front_judgement& judged);
  void follow_into(commit_superstep& closed, front_judgement& judged, const opened_fields& state) const;
  bool degraded_after(const commit_superstep& closed) const;
  void fail(commit_superstep& closed, const step_id& where, error why) const;

  workflow_ptr flow_;
  std::shared_ptr<const step_index> index_;
  std::shared_ptr<const executors> with_;
  run_id run_;
  std::string subject_;
  std::shared_ptr<const json_text> inputs_;
  opened_fields state_;
  std::shared_ptr<const json_text> state_text_;  // the same
  std::optional<opened_fields> state_after_;     // of the superstep that is closed, and not committed so far
  superstep_no superstep_;
  std::optional<timestamp> deadline_;
  std::int64_t executed_ = 0;  // task executions of the supersteps before
  bool degraded_ = false;
  std::vector<open_step> steps_;   // in graph order
  std::vector<task_entry> tasks_;  // those of the first step first
  std::unordered_map<task_id, std::size_t> places_;
  std::size_t barred_ = 0;  // the first task that max_steps does not let begin
  bool bar_moves_ = false;
  std::vector<join_arrival> arrivals_;
  std::int64_t idle_ = 0;         // superstep_standing::idle
  std::vector<gate_view> gates_;  // open, or decided and not taken
  std::vector<stop_order> stops_;
  budget_limits left_;  // of the run's budget, as far as outcomes tell
};

}  // namespace troupe
