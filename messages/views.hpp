// What a reader gets: committed rows as values. Filled by storage/, shown by doors, folded by a recovering run.
#pragma once

#include "messages/cost.hpp"
#include "messages/event.hpp"
#include "messages/gate.hpp"
#include "messages/run.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Which runs are meant.
enum class run_scope {
  all,
  roots,  ///< Not those that a step of another run carries out. Of unfinished ones: unless that run has ended.
};

struct run_filter {
  std::optional<run_state> state;
  std::optional<std::string> subject;
  std::int64_t limit = 50;
  run_scope scope = run_scope::all;
  std::optional<run_id> child_of{};
};

/// One row of run_overview, and what a door shows of a run.
struct run_view {
  run_id run;
  std::string workflow;
  std::string workflow_hash;
  std::string subject;
  run_state state = run_state::pending;
  bool abandoned = false;  ///< `running`, but the process that carried it out is gone: resume goes on with it.
  bool degraded = false;
  std::int64_t steps = 0;       ///< Task executions.
  std::int64_t supersteps = 0;  ///< Committed.
  json_text inputs{"{}"};
  json_text result{"{}"};  ///< The state after the last committed superstep.
  std::string state_hash;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cost_microusd = 0;
  timestamp started_at;
  std::optional<timestamp> finished_at;
  std::optional<error> why;
  std::optional<step_id> failed_step;
  event_seq last_seq;
  std::optional<run_id> parent{};           ///< As create_run has it.
  std::optional<task_id> parent_task{};     ///< Of a child run.
  std::optional<superstep_no> forked_at{};  ///< Of a fork.
  std::int64_t unpriced = 0;  ///< Attempts, also of child runs, whose cost is unknown: not in cost_microusd.
  std::chrono::microseconds attempt_time{0};  ///< That all attempts took, also those of child runs, added up.
  std::int64_t children = 0;                  ///< Runs that its steps carry out.
};

/// One row of task_overview: a task and its latest attempt.
struct task_view {
  task_id task;
  run_id run;
  superstep_no superstep;
  step_id step;
  agent_name agent;
  std::int64_t order = 0;
  task_state state = task_state::queued;
  attempt_no attempt;  ///< 0: none has started.
  std::int64_t pid = 0;
  std::int64_t pid_start_time = 0;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::optional<timestamp> started_at;
  std::optional<timestamp> finished_at;
  std::optional<error> why;
  std::optional<json_text> value;
  std::vector<field_delta> deltas;
  std::int64_t standard_output_bytes = 0;
  std::int64_t standard_error_bytes = 0;
  std::optional<int> http_status{};
  std::string session{};
  std::optional<timestamp> retry_at{};       ///< retrying: when; none where it waits for the others of its step.
  std::int64_t failures = 0;                 ///< Attempts that failed.
  std::int64_t degraded_tries = 0;           ///< Of these, how often the others of its step were waited for.
  std::optional<timestamp> first_started{};  ///< Of its first attempt.
  std::optional<std::int64_t> item{};        ///< Of a map: which element, from 0.
  std::uint64_t order_key = 0;
  std::optional<std::vector<step_id>> route{};
  std::string request_hash{};  ///< Of the latest attempt.
};

/// Raw output of one attempt, as it came.
struct output_view {
  task_view task;
  std::string standard_output;
  std::string standard_error;
};

/// What a step came to in one superstep, as it was committed.
struct verdict_view {
  superstep_no superstep;
  step_id step;
  json_text verdict;  ///< docs/schema.md, consensus_verdicts.verdict.
};

/// All that a run actor needs to go on where the rows stand.
struct recovery_view {
  run_view run;
  std::string workflow_source;
  std::string config_source;     ///< As TOML.
  superstep_no superstep;        ///< The open one.
  std::vector<task_view> tasks;  ///< Of the open superstep, in graph order.
  std::optional<timestamp> deadline;
  std::optional<timestamp> paused_until{};  ///< paused: goes on by itself then.
  superstep_standing standing{};            ///< Of the open superstep.
  std::vector<gate_view> gates{};           ///< Open, or not taken, in the order in which they were opened.
  budget_limits budget{};
  std::optional<error> over_budget{};  ///< As write_receipt has it.
};

/// What costs are added up by.
enum class cost_grouping { attempt, step, agent, model, run, subject, day };

/// Which of them. A run has those of its child runs too.
struct cost_filter {
  std::optional<run_id> run;
  std::optional<std::string> subject;
  std::optional<timestamp> since;  ///< Recorded then or later.
};

/// Of all attempts with one key.
struct cost_sum {
  std::string key;
  std::int64_t attempts = 0;
  std::int64_t estimated = 0;  ///< Of these: by what Troupe expected, since the agent said nothing.
  std::int64_t unpriced = 0;   ///< Of these: the model has no price. Their tokens count, their amount is unknown.
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t microusd = 0;
  std::chrono::microseconds time{0};  ///< That they took, added up.
  std::int64_t unmetered = 0;  ///< Of these: nothing was told, and no model is known. They took time, and no more.
};

/// A committed superstep, for replay, diff and fork.
struct superstep_view {
  superstep_no superstep;
  std::vector<task_view> tasks;  ///< In graph order.
  superstep_standing standing;
  std::vector<gate_view> taken;  ///< Gates whose decisions went into its commit.
  json_text deltas{"[]"};
  std::string state_hash;
  std::string idempotency_key;
};

/// The connections that questions are answered over: how they stand at this moment, and what was since the start.
struct read_pool_view {
  std::int64_t readers_max = 0;  ///< That may be open at once.
  std::int64_t idle = 0;         ///< Open, and nobody's.
  std::int64_t in_use = 0;       ///< Lent, or being opened for somebody.
  std::int64_t waiting = 0;      ///< Who wait for one.
  std::int64_t loans = 0;
  std::int64_t opened = 0;
  std::int64_t replaced = 0;  ///< Found broken when they were to be lent.
  std::int64_t waits = 0;     ///< Who found all of them in use.
  std::int64_t timeouts = 0;  ///< Who gave up waiting.
  std::chrono::microseconds longest_wait{0};
};

}  // namespace troupe
