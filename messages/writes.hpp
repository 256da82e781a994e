// Every change of durable state: one message each to the database writer, answered after its commit.
//
// A command is a fact, told once: the same command again (a repeat after a lost answer) is answered as the first was;
// the same key with other content is IDEMPOTENCY_VIOLATION and changes nothing. The key is (run, task, attempt, kind),
// with the superstep or `from` in the place of the attempt for commands that are not about a task.
#pragma once

#include "messages/base/result.hpp"
#include "messages/blob.hpp"
#include "messages/consensus.hpp"
#include "messages/cost.hpp"
#include "messages/event.hpp"
#include "messages/gate.hpp"
#include "messages/limits.hpp"
#include "messages/run.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// A run begins: runs, superstep 1 with its tasks queued. Events: run.started, superstep 1's task.queued.
struct create_run {
  run_id run;
  std::string workflow_name;
  std::string workflow_hash;
  std::string workflow_source;  ///< Kept once per hash.
  std::string config_hash;      ///< The pinned configuration, kept once per hash. Empty: that of `parent`.
  std::string config_source;    ///< As TOML (config/pin.hpp).
  std::string subject;
  json_text inputs;
  json_text initial_state;
  std::string state_hash;
  std::optional<milliseconds> wall_clock;  ///< The run's deadline is `at` and this.
  std::vector<planned_task> front;
  timestamp at;
  superstep_standing standing{};
  std::vector<gate_opening> gates{};
  std::optional<run_id> parent{};           ///< The run whose task this one is, or that this one was forked from.
  std::optional<task_id> parent_task{};     ///< Set of a child run only.
  std::optional<superstep_no> forked_at{};  ///< Set of a fork only: the superstep whose state this run begins with.
  std::optional<timestamp> deadline_max{};  ///< Of the parent: the run's deadline is not later.
  budget_limits budget{};
};

/// An attempt is about to begin that counts against budgets: those of its run and of the runs above it, of its subject
/// and of the day. What it is expected to use up is reserved with each of them until it ends. No event.
/// BUDGET_EXCEEDED: there is not so much left of one of them, or nothing at all; nothing was reserved, and the attempt
/// must not begin.
struct reserve_budget {
  run_id run;
  task_id task;
  attempt_no attempt;
  std::int64_t microusd = 0;  ///< 0 where nothing is known, as in the next two.
  std::int64_t tokens = 0;
  std::chrono::microseconds time{0};
  budget_ceilings ceilings;  ///< Of the subject and of the day; the runs' are in their rows.
  timestamp at;
};

/// An attempt runs: attempts row with the process, task running. Event: task.started.
struct start_attempt {
  run_id run;
  task_id task;
  attempt_no attempt;
  std::int64_t pid = 0;  ///< 0 for a function.
  std::int64_t pid_start_time = 0;
  timestamp at;
  provider_name provider{};    ///< Whose limits it counts against; may be empty.
  token_estimate estimate{};   ///< What is counted until the provider says more.
  std::string request_hash{};  ///< `sha256:` of what the agent is asked; empty where nobody asked for it.
};

/// Raw bytes, before anything parses them; task validating. No event.
struct record_output {
  run_id run;
  task_id task;
  attempt_no attempt;
  attempt_exit exit;
  std::shared_ptr<const std::string> standard_output;
  std::shared_ptr<const std::string> standard_error;
  std::int64_t standard_output_bytes = 0;  ///< Printed in all; above the stored size when only the head was kept.
  std::int64_t standard_error_bytes = 0;
  timestamp at;
  output_blobs blobs;  ///< Where the database writer has put large streams. Senders leave it empty.
};

/// An attempt ended. Final, unless interrupted or retrying: then the task waits for another attempt, the latter with a
/// row in timers where a time is known. What it cost is counted, and its reservations are settled. Events:
/// task.completed, task.failed, task.cancelled, task.interrupted or task.retrying; cost.recorded; budget.warned.
struct finish_attempt {
  run_id run;
  task_id task;
  attempt_no attempt;
  task_outcome outcome;
  timestamp at;
};

/// What a run came to. `state` is final, or paused.
struct run_end {
  run_state state = run_state::completed;
  bool degraded = false;
  std::optional<error> why;
  std::optional<step_id> failed_step;
  std::optional<timestamp> until{};  ///< paused: goes on by itself then (a provider's quota). A row in timers.
  pause_cause cause = pause_cause::operator_request;  ///< paused only.
};

/// The verdict on one step of a superstep, with what each agent said: consensus_runs and agent_outputs.
struct step_verdict {
  step_id step;
  verdict reached;
  std::vector<agent_answer> answers;
};

/// A task of a superstep that is not tried again after all: nothing of it runs.
struct given_up_task {
  task_id task;
  task_state state = task_state::failed;  ///< Or cancelled: somebody else won the race.
  error why;
};

/// A superstep ends: verdicts, deltas, the new state, the next front or the end of the run, all or nothing.
/// Where it ends a run as failed, tasks that wait are cancelled, and so are open gates at any end. Events: task.failed or
/// task.cancelled for each that was given up, task.cancelled for each that waited, consensus.reached per step,
/// superstep.committed, then task.queued of the next front and gate.opened, or run.*.
struct commit_superstep {
  run_id run;
  superstep_no superstep;
  std::vector<step_verdict> verdicts;  ///< In graph order.
  json_text deltas;                    ///< `[[step, agent, field, value], ...]` in graph order.
  json_text state;                     ///< After the deltas.
  std::string state_hash;              ///< `sha256:` of it.
  std::string idempotency_key;         ///< EN-6.
  std::vector<planned_task> next_front;
  std::optional<run_end> end;  ///< Set exactly when nothing follows: no step, and no gate that is open or not taken.
  timestamp at;
  std::vector<given_up_task> given_up{};
  superstep_standing next{};
  std::vector<gate_opening> gates{};  ///< Opened by this commit.
  std::vector<gate_place> taken{};    ///< Gates whose decisions are in this commit.
};

/// A run ends or pauses outside a superstep: cancel, time limit, shutdown. Tasks that are not final are cancelled
/// (final end) or stay as they are (paused). Events: task.cancelled each, then run.*.
struct end_run {
  run_id run;
  run_end end;
  event_seq from;  ///< The newest event that the sender knew: tells this end from a repeat of it.
  timestamp at;
};

/// An unfinished run goes on under a new owner: its tasks that were running become interrupted, then queued.
/// `from` is the last event that the new owner read. Events: task.interrupted each, run.resumed.
struct resume_run {
  run_id run;
  event_seq from;
  timestamp at;
};

/// A gate of the open superstep is opened beside it: a task was interrupted, and somebody has to say what becomes of it.
/// Event: gate.opened.
struct open_gate {
  run_id run;
  gate_opening gate;
  timestamp at;
};

/// A person's decision. It closes the gate when it makes the votes needed, or makes them impossible. Each person decides
/// once. Event: gate.decided for each vote, with what the gate is then.
/// NOT_FOUND: the run has no such gate. CANCELLED: it is closed. INVALID_INPUT: this person has no vote, or decides on
/// another action than the gate's.
struct decide_gate {
  run_id run;
  gate_place place;
  gate_decision decision;
};

/// The time of a gate is over: it closes by its policy. Event: gate.decided. CANCELLED: it is closed.
struct expire_gate {
  run_id run;
  gate_place place;
  timestamp at;
};

using write_command = std::variant<create_run,
                                   start_attempt,
                                   record_output,
                                   finish_attempt,
                                   commit_superstep,
                                   end_run,
                                   resume_run,
                                   open_gate,
                                   decide_gate,
                                   expire_gate,
                                   reserve_budget>;

/// The command is on disk. `last` is the run's newest event number after it.
struct write_receipt {
  event_seq last;
  bool repeated = false;  ///< The same command had been committed before; nothing was written now.
  /// Of finish_attempt: the run, or one above it, has used up more than its budget and has to end. BUDGET_EXCEEDED.
  std::optional<error> over_budget{};
};

using write_reply = result<write_receipt>;

/// The name of the command for keys, logs and metrics. Stored in write_keys.kind: never rename.
std::string_view kind_of(const write_command& command) noexcept;
const run_id& run_of(const write_command& command) noexcept;

}  // namespace troupe
