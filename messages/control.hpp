// What the actors of a running node say to each other about runs and tasks. None of this is durable.
#pragma once

#include "messages/base/result.hpp"
#include "messages/run.hpp"
#include "messages/workflow.hpp"
#include "messages/writes.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// To the database writer: one command. Shared, so that asking again costs no copy.
struct write_request {
  std::shared_ptr<const write_command> what;
  lease_epoch epoch;    ///< Of the lease that the sender works under.
  bool waited = false;  ///< The sender had to wait for its turn: the run is told (backpressure.on).
};

/// The writer to itself, behind everything that waits: commit what has come.
struct flush_writes {};

/// To the log checkpointer: the log has grown; move what is in it to the database.
struct checkpoint_log {};

/// It has tried. An error is its to tell: the log still has everything, and the next checkpoint tries again.
struct log_checkpointed {};

/// A timer of the actor's own: carried out by the actor that sent it, when it is due.
struct later {
  std::function<void()> act;
};

/// To the run supervisor: begin this run, or go on with it.
struct start_run {
  workflow_ptr flow;
  json_text inputs;
  std::string subject;
  run_id run;
  std::optional<run_id> parent{};  ///< As create_run has these.
  std::optional<task_id> parent_task{};
  std::optional<timestamp> deadline_max{};
  budget_limits budget{};
};

struct start_receipt {
  bool already_finished = false;
  bool resumed = false;
  bool at_work = false;  ///< It had its actor already.
};

using start_reply = result<start_receipt>;

/// To the run supervisor and the run: stop its tasks and end it as cancelled.
struct cancel_run {
  run_id run;
  bool at_once = false;  ///< Without SIGTERM and kill_grace.
};

/// To the run supervisor and each run: begin nothing, give running tasks their time, then pause.
struct drain_runs {
  bool at_once = false;
};

enum class stop_cause {
  cancelled,
  timed_out,
  interrupted,
  lost_race,  ///< Another agent of its step answered first.
  too_late,   ///< Its step waits no longer: soft or hard deadline.
};

/// To an agent: end the attempt for this cause.
struct stop_attempt {
  stop_cause cause = stop_cause::cancelled;
  bool at_once = false;
};

/// From an agent to its run, after the commit that makes it true.
struct task_finished {
  task_id task;
  attempt_no attempt;
  task_outcome outcome;
  std::optional<timestamp> began{};  ///< When the attempt was started, if it was.
  std::optional<timestamp> at{};     ///< When it ended, as its row says. None: it has not ended.
  permit_end how = permit_end::succeeded;
  std::optional<milliseconds> retry_after{};  ///< As the provider said it.
  bool waits_for_child = false;               ///< Interrupted: its child run waits for a person.
  std::optional<error> over_budget{};         ///< As write_receipt has it: the run has to end.
};

/// From a child run to the run supervisor, and on to its parent: it has ended, or goes on after it waited for a person.
struct child_moved {
  run_id parent;
  task_id task;  ///< The parent's.
};

/// From an agent to its run: the database refused a fact of this attempt, or cannot be written.
struct task_unrecorded {
  task_id task;
  attempt_no attempt;
  error why;
};

/// From a run to whoever listens to it: it stopped without an end, because its facts cannot be written.
struct run_stopped {
  run_id run;
  error why;
};

}  // namespace troupe
