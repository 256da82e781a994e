// What an attempt came to: from how it ended and what it printed to the outcome of the task. Pure.
#pragma once

#include "actors/agent/attempt_session.hpp"
#include "actors/agent/http_port.hpp"
#include "actors/agent/process_port.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"
#include "messages/run.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// The end of a process, of a request or of a function in one form.
struct attempt_end {
  bool ran = true;  ///< False: it never started, for `failure`.
  attempt_exit exit;
  std::shared_ptr<const std::string> standard_output = std::make_shared<const std::string>();
  std::shared_ptr<const std::string> standard_error = std::make_shared<const std::string>();
  std::int64_t standard_output_bytes = 0;
  std::int64_t standard_error_bytes = 0;
  std::optional<process_silence> silence;  ///< As it was looked at last, if it was silent then.
  bool custodian_lost = false;
  std::optional<error> failure;         ///< Why it did not start, or what the function says went wrong.
  std::optional<function_reply> reply;  ///< functions only
  std::optional<http_end> http;         ///< Over HTTP only; its body is standard_output.
};

attempt_end end_of(process_end end);
attempt_end end_of(result<function_reply> reply);
attempt_end end_of(http_end end);
/// Of an attempt that never started.
attempt_end end_of(error refused);

/// Precedence: interrupted (shutdown, or the custodian died), cancelled, timed out, output too large, start failure,
/// what the agent's own rules recognise as a failure, exit status (for a request actors/agent/http_outcome.hpp), nothing
/// printed, output that cannot be parsed; else completed.
task_outcome judge(const attempt_order& order, const attempt_session& session, const attempt_end& end);

}  // namespace troupe
