#include "messages/retry.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<error_class, std::string_view>, 4> names{{{error_class::retryable, "retryable"},
                                                                         {error_class::permanent, "permanent"},
                                                                         {error_class::degraded, "degraded"},
                                                                         {error_class::unknown, "unknown"}}};

}  // namespace

std::string_view to_string(error_class what) noexcept {
  return std::ranges::find(names, what, &decltype(names)::value_type::first)->second;
}

std::optional<error_class> error_class_from(std::string_view name) noexcept {
  const auto* found = std::ranges::find(names, name, &decltype(names)::value_type::second);
  return found == names.end() ? std::nullopt : std::optional{found->first};
}

error_class class_of(error_code code) noexcept {
  switch (code) {
    case error_code::task_timeout:
    case error_code::backpressure:
    case error_code::rate_limited:
    case error_code::provider_unavailable:
    case error_code::circuit_open:
    case error_code::storage_busy:
    case error_code::storage_unavailable:
      return error_class::retryable;
    case error_code::quorum_not_met:
      return error_class::degraded;
    // A program that fails says by no number whether it would fail again.
    case error_code::agent_exit:
    case error_code::agent_signal:
    case error_code::agent_no_output:
    case error_code::output_invalid:
    case error_code::internal:
      return error_class::unknown;
    case error_code::invalid_workflow:
    case error_code::invalid_config:
    case error_code::invalid_input:
    case error_code::not_found:
    case error_code::duplicate_id:
    case error_code::no_route:
    case error_code::no_progress:
    case error_code::max_steps_exceeded:
    case error_code::max_attempts_exceeded:
    case error_code::run_timeout:
    case error_code::budget_exceeded:
    case error_code::cancelled:
    case error_code::merge_conflict:
    case error_code::idempotency_violation:
    case error_code::stale_epoch:
    case error_code::lease_held:
    case error_code::replay_mismatch:
    case error_code::consensus_conflict:
    case error_code::agent_not_found:
    case error_code::output_too_large:
    case error_code::auth_required:
    case error_code::storage_full:
    case error_code::storage_corrupt:
    case error_code::storage_newer:
    case error_code::storage_readonly:
    case error_code::storage_denied:
    case error_code::evidence_limit:
    case error_code::unknown_model:
    case error_code::interrupted:
      return error_class::permanent;
  }
  return error_class::unknown;
}

milliseconds suggested_backoff(const error& why) noexcept {
  if (why.retry_after) {
    return *why.retry_after;
  }
  constexpr std::array<std::pair<error_code, milliseconds>, 4> known{{{error_code::rate_limited, 5s},
                                                                      {error_code::task_timeout, 5s},
                                                                      {error_code::provider_unavailable, 10s},
                                                                      {error_code::storage_busy, 200ms}}};
  const auto* found = std::ranges::find(known, why.code, &decltype(known)::value_type::first);
  return found == known.end() ? 0ms : found->second;
}

}  // namespace troupe
