// Questions that a run asks people, and what they answer. Rows: gates and gate_decisions.
#pragma once

#include "messages/base/graph_path.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Stored by name in gates.kind: never rename.
enum class gate_kind {
  step,   ///< A step of the workflow: its decision is the step's result.
  crash,  ///< A task of an external effect was interrupted: approved runs it again, rejected lets it fail.
};

/// Stored by name in gates.state: never rename. All but open are final.
enum class gate_state { open, approved, rejected, expired, cancelled };

/// Stored by name in gate_decisions.decision: never rename.
enum class gate_choice { approved, rejected };

/// What becomes of a gate that nobody decides in time. Stored by name in gates.on_expiry: never rename.
enum class expiry_policy {
  approve,
  reject,
  escalate,  ///< The next level asks; of the last level, fail.
  fail,      ///< The step fails with TASK_TIMEOUT.
};

std::string_view to_string(gate_kind kind) noexcept;
std::string_view to_string(gate_state state) noexcept;
std::string_view to_string(gate_choice choice) noexcept;
std::string_view to_string(expiry_policy policy) noexcept;
std::optional<gate_kind> gate_kind_from(std::string_view name) noexcept;
std::optional<gate_state> gate_state_from(std::string_view name) noexcept;
std::optional<gate_choice> gate_choice_from(std::string_view name) noexcept;
std::optional<expiry_policy> expiry_policy_from(std::string_view name) noexcept;

/// Which gate of a run. A crash gate has the superstep of its task.
struct gate_place {
  superstep_no superstep;  ///< The one that was open when the gate was opened.
  step_id step;
  int level = 1;                  ///< From 1; the same gate asks at each of its levels in turn.
  std::optional<task_id> task{};  ///< crash only.

  friend auto operator<=>(const gate_place&, const gate_place&) = default;
};

/// A gate as the plan wants it opened.
struct gate_opening {
  gate_place place;
  gate_kind kind = gate_kind::step;
  graph_path path;                    ///< Of its step.
  std::string prompt;                 ///< Rendered.
  std::string action_hash;            ///< `sha256:` of what is to be approved; empty where it is bound to nothing.
  int votes = 1;                      ///< Approvals needed.
  std::vector<std::string> voters{};  ///< Who may decide; empty: anybody.
  std::optional<milliseconds> expires{};
  expiry_policy on_expiry = expiry_policy::fail;
};

struct gate_decision {
  std::string by;
  gate_choice choice = gate_choice::approved;
  std::string comment{};
  std::optional<json_text> state_edit{};  ///< RFC 7396, on the state.
  std::string action_hash{};              ///< Of the action that the person saw; empty: not told.
  timestamp at;
};

/// A row of gates, with its decisions in the order in which they came.
struct gate_view {
  run_id run;
  gate_opening asked;
  gate_state state = gate_state::open;
  timestamp opened_at;
  std::optional<timestamp> expires_at;
  std::optional<timestamp> closed_at;
  std::optional<superstep_no> taken_at;  ///< The superstep whose commit its decision went into.
  std::vector<gate_decision> decisions;
};

/// An open gate, and the run that waits for it.
struct pending_view {
  gate_view gate;
  std::string workflow;
  std::string subject;
};

}  // namespace troupe
