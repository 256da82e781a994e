// The life of runs and tasks as durable facts.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/graph_path.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"
#include "messages/cost.hpp"
#include "messages/retry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Stored by name in runs.state: never rename. Final: completed, failed, cancelled.
enum class run_state { pending, running, paused, completed, failed, cancelled };

/// Why a run is paused. Stored by name in events.data: never rename.
enum class pause_cause {
  operator_request,  ///< Its process was asked to stop.
  approval,          ///< Nothing can go on before a person decides.
  quota,             ///< A provider's quota is used up; goes on by itself.
};

std::string_view to_string(pause_cause cause) noexcept;

/// Stored by name in tasks.state: never rename. Final: completed, failed, cancelled.
enum class task_state { pending, queued, running, validating, completed, failed, retrying, cancelled, interrupted };

std::string_view to_string(run_state state) noexcept;
std::string_view to_string(task_state state) noexcept;
std::optional<run_state> run_state_from(std::string_view name) noexcept;
std::optional<task_state> task_state_from(std::string_view name) noexcept;

constexpr bool is_final(run_state state) noexcept {
  return state == run_state::completed || state == run_state::failed || state == run_state::cancelled;
}

constexpr bool is_final(task_state state) noexcept {
  return state == task_state::completed || state == task_state::failed || state == task_state::cancelled;
}

/// The state machines of docs/architecture.md. A move to the same state is not legal: repeats are told by their key.
bool is_legal_move(run_state from, run_state to) noexcept;
bool is_legal_move(task_state from, task_state to) noexcept;

/// A task as the plan wants it: what it is, not how it goes.
struct planned_task {
  task_id id;
  superstep_no superstep;
  step_id step;
  agent_name agent;
  std::int64_t order = 0;              ///< Position in graph order within the superstep, from 0.
  std::optional<std::int64_t> item{};  ///< Of a map: which element, from 0.
  std::uint64_t order_key = 0;         ///< graph_path::key() of the step, then its place among the step's tasks.
};

/// A step of a superstep. It has a task for each of its agents; a map of an empty list has none.
struct planned_step {
  step_id step;
  graph_path path;
};

/// A step that `join` waits for has completed since `join` last ran.
struct join_arrival {
  step_id join;
  step_id from;
  graph_path path;  ///< That `join` would have by it.
};

/// What a superstep begins with beyond its tasks. Stored in supersteps.standing.
struct superstep_standing {
  std::vector<planned_step> steps;     ///< In graph order.
  std::vector<join_arrival> arrivals;  ///< At joins that still lack somebody, in the order in which they came.
  std::int64_t idle = 0;  ///< Supersteps in a row before this one that executed nothing and took no decision.
};

/// How an agent's process ended, in words that a row can hold.
struct attempt_exit {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::chrono::microseconds cpu_time{0};
  std::int64_t resident_bytes_max = 0;
  bool tree_gone = true;
  std::optional<int> http_status{};  ///< Of an agent over HTTP.
  std::optional<timestamp> first_output_at{};
  std::optional<timestamp> last_output_at{};
};

struct token_usage {
  std::string model;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

/// What a task wants to change in the state, by the reducer of the field.
struct field_delta {
  field_name field;
  json_text value;
};

/// How a task ended: exactly one final row per task holds this.
struct task_outcome {
  task_state state = task_state::completed;  ///< completed, failed, cancelled, interrupted or retrying.
  std::optional<json_text> value;            ///< completed: the parsed output.
  std::string found_by;             ///< How the value was found in the output: whole, fenced, balanced, text, function.
  std::vector<field_delta> deltas;  ///< Functions: explicit deltas, in order.
  std::optional<token_usage> usage;
  /// failed, cancelled, interrupted, retrying. Of a completed one: who was missing in the child run that it is.
  std::optional<error> why;
  /// retrying: when. Without it the task waits until the other agents of its step have answered: it is tried again if
  /// they are a quorum, and has failed if they are not.
  std::optional<retry_wait> retry{};
  std::string session{};  ///< What the agent calls this conversation, where it says so.
  /// Functions: the steps that follow, in the place of the step's `next`.
  std::optional<std::vector<step_id>> route{};
  std::optional<attempt_cost> cost{};
  /// From its start to its end. None: it never began, nobody saw its end, or it is a child run, whose attempts took it.
  std::optional<std::chrono::microseconds> took{};
};

}  // namespace troupe
