#include "messages/base/error.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<error_code, std::string_view>, 42> names{{
    {error_code::invalid_workflow, "INVALID_WORKFLOW"},
    {error_code::invalid_config, "INVALID_CONFIG"},
    {error_code::invalid_input, "INVALID_INPUT"},
    {error_code::not_found, "NOT_FOUND"},
    {error_code::duplicate_id, "DUPLICATE_ID"},
    {error_code::no_route, "NO_ROUTE"},
    {error_code::no_progress, "NO_PROGRESS"},
    {error_code::max_steps_exceeded, "MAX_STEPS_EXCEEDED"},
    {error_code::max_attempts_exceeded, "MAX_ATTEMPTS_EXCEEDED"},
    {error_code::task_timeout, "TASK_TIMEOUT"},
    {error_code::run_timeout, "RUN_TIMEOUT"},
    {error_code::budget_exceeded, "BUDGET_EXCEEDED"},
    {error_code::cancelled, "CANCELLED"},
    {error_code::backpressure, "BACKPRESSURE"},
    {error_code::merge_conflict, "MERGE_CONFLICT"},
    {error_code::idempotency_violation, "IDEMPOTENCY_VIOLATION"},
    {error_code::stale_epoch, "STALE_EPOCH"},
    {error_code::lease_held, "LEASE_HELD"},
    {error_code::replay_mismatch, "REPLAY_MISMATCH"},
    {error_code::quorum_not_met, "QUORUM_NOT_MET"},
    {error_code::consensus_conflict, "CONSENSUS_CONFLICT"},
    {error_code::agent_not_found, "AGENT_NOT_FOUND"},
    {error_code::agent_exit, "AGENT_EXIT"},
    {error_code::agent_signal, "AGENT_SIGNAL"},
    {error_code::agent_no_output, "AGENT_NO_OUTPUT"},
    {error_code::output_invalid, "OUTPUT_INVALID"},
    {error_code::output_too_large, "OUTPUT_TOO_LARGE"},
    {error_code::auth_required, "AUTH_REQUIRED"},
    {error_code::rate_limited, "RATE_LIMITED"},
    {error_code::provider_unavailable, "PROVIDER_UNAVAILABLE"},
    {error_code::circuit_open, "CIRCUIT_OPEN"},
    {error_code::storage_full, "STORAGE_FULL"},
    {error_code::storage_corrupt, "STORAGE_CORRUPT"},
    {error_code::storage_busy, "STORAGE_BUSY"},
    {error_code::storage_newer, "STORAGE_NEWER"},
    {error_code::storage_readonly, "STORAGE_READONLY"},
    {error_code::storage_denied, "STORAGE_DENIED"},
    {error_code::storage_unavailable, "STORAGE_UNAVAILABLE"},
    {error_code::evidence_limit, "EVIDENCE_LIMIT"},
    {error_code::unknown_model, "UNKNOWN_MODEL"},
    {error_code::interrupted, "INTERRUPTED"},
    {error_code::internal, "INTERNAL"},
}};

}  // namespace

std::string_view to_string(error_code code) noexcept {
  const auto* found = std::ranges::find(names, code, &decltype(names)::value_type::first);
  return found == names.end() ? "INTERNAL" : found->second;
}

std::optional<error_code> error_code_from(std::string_view name) noexcept {
  const auto* found = std::ranges::find(names, name, &decltype(names)::value_type::second);
  if (found == names.end()) {
    return std::nullopt;
  }
  return found->first;
}

}  // namespace troupe
