// What events.data holds for each kind: docs/schema.md has the table. Stored and published: names never change.
#pragma once

#include "messages/run.hpp"
#include "messages/writes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct run_row;

/// {code, hint?, message}
std::string error_data(const std::optional<error>& why);

std::string run_started_data(const create_run& told);
std::string run_ended_data(const run_row& row, const run_end& end, timestamp at);
std::string run_resumed_data(lease_epoch epoch, run_state from, std::int64_t interrupted);

std::string task_queued_data(const planned_task& task);
std::string task_started_data(const start_attempt& told);
/// `printed` are the bytes of stdout and stderr; none where no output was recorded.
std::string task_completed_data(const task_outcome& outcome,
                                const std::optional<std::pair<std::int64_t, std::int64_t>>& printed);
std::string task_failed_data(const task_outcome& outcome, std::optional<int> exit_code, std::optional<int> signal);

std::string task_retrying_data(const task_outcome& outcome);

std::string consensus_data(const verdict& reached);
/// For consensus_verdicts.verdict: all of the verdict but the winner, which is consensus_runs.synthesis_json, and answers
/// of more than 1,024 bytes, which are in agent_outputs.
std::string verdict_json(const verdict& reached);

std::string gate_opened_data(const gate_opening& asked, const std::optional<timestamp>& expires_at);
/// `votes`: approvals so far, and needed.
std::string gate_decided_data(const gate_place& place,
                              const gate_decision& decision,
                              gate_state state,
                              std::pair<int, int> votes);
std::string gate_expired_data(const gate_place& place, gate_state state, expiry_policy policy);

/// `counted`: micro-dollars that were reserved and count as spent, where the amount is unknown.
std::string cost_recorded_data(const attempt_cost& cost, std::optional<std::int64_t> counted);

/// A budget, and which part of it is used up.
struct budget_warning {
  budget_scope scope = budget_scope::run;
  std::string key;
  budget_unit unit = budget_unit::microusd;
  int percent = 0;
  std::int64_t spent = 0;
  std::int64_t reserved = 0;
  std::int64_t ceiling = 0;
};

std::string budget_warned_data(const budget_warning& told);

std::string superstep_committed_data(const commit_superstep& told, const std::vector<std::string>& changed);

}  // namespace troupe
