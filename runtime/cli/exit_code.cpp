#include "runtime/cli/exit_code.hpp"

namespace troupe {

exit_code exit_code_of(error_code code) noexcept {
  switch (code) {
    case error_code::invalid_workflow:
    case error_code::invalid_config:
    case error_code::invalid_input:
    case error_code::not_found:
    case error_code::duplicate_id:
    case error_code::idempotency_violation:
    case error_code::unknown_model:
    case error_code::auth_required:
      return exit_code::usage;
    case error_code::max_steps_exceeded:
    case error_code::run_timeout:
    case error_code::budget_exceeded:
      return exit_code::limit;
    case error_code::cancelled:
      return exit_code::cancelled;
    case error_code::storage_full:
    case error_code::storage_corrupt:
    case error_code::storage_busy:
    case error_code::storage_newer:
    case error_code::storage_readonly:
    case error_code::storage_denied:
    case error_code::storage_unavailable:
      return exit_code::storage;
    case error_code::lease_held:
    case error_code::stale_epoch:
      return exit_code::lease_held;
    case error_code::internal:
      return exit_code::internal;
    case error_code::no_route:
    case error_code::no_progress:
    case error_code::max_attempts_exceeded:
    case error_code::task_timeout:
    case error_code::backpressure:
    case error_code::merge_conflict:
    case error_code::replay_mismatch:
    case error_code::quorum_not_met:
    case error_code::consensus_conflict:
    case error_code::agent_not_found:
    case error_code::agent_exit:
    case error_code::agent_signal:
    case error_code::agent_no_output:
    case error_code::output_invalid:
    case error_code::output_too_large:
    case error_code::rate_limited:
    case error_code::interrupted:
    case error_code::provider_unavailable:
    case error_code::circuit_open:
    case error_code::evidence_limit:
      return exit_code::failed;
  }
  return exit_code::internal;
}

exit_code exit_code_of(const run_view& run, bool strict) noexcept {
  switch (run.state) {
    case run_state::completed:
      return strict && run.degraded ? exit_code::degraded : exit_code::completed;
    case run_state::paused:
    case run_state::pending:
    case run_state::running:
      return exit_code::paused;
    case run_state::cancelled:
      return exit_code::cancelled;
    case run_state::failed: {
      // Whatever made it fail, the run itself was well asked for: wrong usage is said before anything runs. And what was
      // cancelled in it is not the run.
      const exit_code by_cause = run.why ? exit_code_of(run.why->code) : exit_code::failed;
      const bool is_of_another = by_cause == exit_code::usage || by_cause == exit_code::cancelled;
      return is_of_another ? exit_code::failed : by_cause;
    }
  }
  return exit_code::internal;
}

}  // namespace troupe
