// Facts about a run, numbered per run, written in the transaction of the change that they tell, published after it.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Stored by its name (`task.completed`) in events.kind: never rename.
enum class event_kind {
  run_started,
  run_paused,
  run_resumed,
  run_completed,
  run_failed,
  run_cancelled,
  superstep_committed,
  task_queued,
  task_started,
  task_retrying,
  task_completed,
  task_failed,
  task_cancelled,
  task_interrupted,
  consensus_reached,
  gate_opened,
  gate_decided,
  backpressure_on,
  backpressure_off,
  budget_warned,
  cost_recorded,
  checkpoint_saved,
  config_reloaded,
};

std::string_view to_string(event_kind kind) noexcept;
std::optional<event_kind> event_kind_from(std::string_view name) noexcept;

/// True for the three kinds after which nothing follows in a run.
constexpr bool ends_run(event_kind kind) noexcept {
  return kind == event_kind::run_completed || kind == event_kind::run_failed || kind == event_kind::run_cancelled;
}

struct event {
  run_id run;
  event_seq seq;
  timestamp time;
  event_kind kind = event_kind::run_started;
  std::optional<step_id> step;
  std::optional<superstep_no> superstep;
  std::optional<task_id> task;
  std::optional<attempt_no> attempt;
  std::optional<agent_name> agent;
  json_text data{"{}"};
};

using event_batch = std::vector<event>;
using event_batch_ptr = std::shared_ptr<const event_batch>;

/// Output as it comes, and from time to time that none comes: not stored, thinned when a subscriber is slow.
struct task_progress {
  run_id run;
  step_id step;
  task_id task;
  attempt_no attempt;
  agent_name agent;
  timestamp time;
  std::string last_line;                  ///< Bytes of the newest whole line, cut at 200.
  std::int64_t bytes = 0;                 ///< Of both streams so far.
  milliseconds silent{0};                 ///< Since the last byte, or since the start.
  std::chrono::microseconds cpu_time{0};  ///< Of the whole process tree, when it was looked at last.
  bool busy = false;                      ///< Silent, and its processes compute.
};

}  // namespace troupe
