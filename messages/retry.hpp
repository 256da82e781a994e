// Which failures are worth another attempt, and how long to wait for it. Requirements RT-2 and RT-3.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Stored by name in attempts.error_class and in events: never rename.
enum class error_class {
  retryable,  ///< Likely to pass by itself: as many attempts as the policy allows.
  permanent,  ///< Would fail the same way again: never retried.
  degraded,   ///< A quorum without all: those missing are asked once more.
  unknown,    ///< Nobody can tell: once more.
};

std::string_view to_string(error_class what) noexcept;
std::optional<error_class> error_class_from(std::string_view name) noexcept;

error_class class_of(error_code code) noexcept;

/// What experience says for this failure; the larger of it and the computed delay is used. Zero where it says nothing.
/// A rate limit: its `retry_after`, 5 s without one.
milliseconds suggested_backoff(const error& why) noexcept;

/// What follows a failed attempt.
struct retry_wait {
  timestamp due;          ///< Not before; the retry budget may make it later.
  milliseconds delay{0};  ///< What was decided, for people.
};

/// To the retry scheduler: answer me when `due` has come, by the time of day. Asking again for the same key replaces the
/// former question, which is not answered.
struct await_due {
  run_id run;
  std::string key;  ///< What waits, unique in the run: a task's id, or "quota".
  timestamp due;
};

/// The answer.
struct came_due {};

/// To the retry scheduler: nobody waits for this any more. Its question is not answered.
struct forget_due {
  run_id run;
  std::string key;  ///< Empty: everything of the run.
};

}  // namespace troupe
