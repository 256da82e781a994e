// A run as its journal has it, superstep by superstep: what replay, diff and fork read. Filled by storage/.
#pragma once

#include "messages/base/error.hpp"
#include "messages/blob.hpp"
#include "messages/gate.hpp"
#include "messages/run.hpp"
#include "messages/views.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What one attempt was asked, and what it said.
struct recorded_attempt {
  task_id task;
  attempt_no attempt;
  task_state state = task_state::running;  ///< Of the attempt; never retrying.
  std::optional<error> why;
  std::string request_hash;  ///< Empty: not recorded.
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::optional<int> http_status;
  bool has_output = false;
  std::string standard_output;  ///< Empty where it is a file.
  std::string standard_error;
  output_blobs files;  ///< Of streams that are files.
};

/// A superstep: committed, or the open one. The first of a run has no task: superstep 0 with the initial state, of a fork
/// the one that it was forked at.
struct recorded_superstep {
  superstep_view row;
  std::optional<timestamp> committed_at;
  bool has_standing =
      true;           ///< False: an older version opened it; row.standing is then as its tasks tell, without paths.
  std::string front;  ///< `[[step,agent],...]`, as the row has it.
  /// After it. None where it is open, or where the rows do not add up to a state.
  std::optional<json_text> state;
  bool is_copy = false;                    ///< The row has the whole state; else what changed.
  std::vector<recorded_attempt> attempts;  ///< By task in graph order, then by number.
  std::vector<gate_view> opened;           ///< Gates of steps that were opened with it, in their order.
  std::vector<error> damage;               ///< What of it cannot be read; the rest is as it is.
};

/// A run and what it is pinned to, without its supersteps.
struct pinned_run {
  run_view run;  ///< Without `result`.
  std::string workflow_source;
  std::string config_source;  ///< As TOML.
  std::string config_hash;
};

}  // namespace troupe
