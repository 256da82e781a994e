// What can go wrong, with one meaning in the library, over HTTP and on the command line.
#pragma once

#include "messages/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Stored by name in runs.error_code, tasks.error_code and events.data: never rename.
enum class error_code {
  invalid_workflow,       ///< The workflow was refused; nothing ran. The author can act.
  invalid_config,         ///< A setting was refused; the former configuration stays. The user can act.
  invalid_input,          ///< A run's input or a command's argument was refused; nothing ran.
  not_found,              ///< There is no such run, step, agent, function or model.
  duplicate_id,           ///< The id is taken by something else; nothing was written.
  no_route,               ///< Conditions exist and none holds; the step's result is kept.
  no_progress,            ///< A join waits for what can no longer come.
  max_steps_exceeded,     ///< The run used up its task executions; what is done is kept.
  max_attempts_exceeded,  ///< Every attempt failed; carries the last cause.
  task_timeout,           ///< An attempt ran longer than its step allows and was stopped.
  run_timeout,            ///< The run used up its wall clock; what is done is kept.
  budget_exceeded,        ///< The run used up its money; what is done is kept.
  cancelled,              ///< A person or the host asked for it.
  backpressure,           ///< A queue is full; nothing was taken. Try again later.
  merge_conflict,         ///< Two deltas of one superstep write one field; neither is committed.
  idempotency_violation,  ///< The same key came with other content; the first content stays.
  stale_epoch,            ///< The sender's lease is no longer the newest; nothing was written.
  lease_held,             ///< Another process may write; this one may not.
  replay_mismatch,        ///< A replay differs from what the journal says.
  quorum_not_met,         ///< Fewer agents answered than the step needs.
  consensus_conflict,     ///< The agents answered, and do not agree.
  agent_not_found,        ///< There is no such program.
  agent_exit,             ///< The agent ended with a status that is not in ok_exit.
  agent_signal,           ///< The agent was ended by a signal that we did not send.
  agent_no_output,        ///< The agent ended well and printed nothing.
  output_invalid,         ///< The output is kept, but could not be parsed or lacks a required part.
  output_too_large,       ///< The agent printed more than output_limit; the head is kept.
  auth_required,          ///< The provider does not know us. The user can log in.
  rate_limited,           ///< The provider asks us to come back later.
  provider_unavailable,   ///< The provider cannot answer now.
  circuit_open,           ///< We do not ask this provider now; too many calls failed.
  storage_full,           ///< The disk is full; nothing of the command was written.
  storage_corrupt,        ///< The database is damaged; it was left as it is.
  storage_busy,           ///< Another program holds the database.
  storage_newer,          ///< A newer Troupe wrote this database; it was left as it is.
  storage_readonly,       ///< The file system may only be read; nothing was written.
  storage_denied,         ///< This user may not read or write the file or its folder. The owner can act.
  storage_unavailable,    ///< The database cannot be opened, read or written, for another reason (path, I/O, memory).
  evidence_limit,         ///< The subject's evidence is at its limit.
  unknown_model,          ///< There is no price for the model.
  interrupted,            ///< It ran when its process ended, and on_crash says that it does not run again.
  internal,               ///< A bug of ours.
};

/// The name of the contract: `NO_ROUTE`.
std::string_view to_string(error_code code) noexcept;
std::optional<error_code> error_code_from(std::string_view name) noexcept;

/// An operating error, or the reason why a task or a run failed.
struct error {
  error_code code = error_code::internal;
  std::string message;  ///< What happened, and what was not done. UTF-8, no line break at the end.
  std::string hint;     ///< What to do next; may be empty.
  /// For so long another attempt is of no use, as the failing side says (Retry-After; 2 s where a connection was refused).
  /// Not stored.
  std::optional<milliseconds> retry_after{};

  friend bool operator==(const error&, const error&) = default;
};

}  // namespace troupe
