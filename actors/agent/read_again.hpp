// What an attempt said, from its recorded output: for a replay, which asks nobody. Pure.
#pragma once

#include "messages/attempt.hpp"
#include "messages/journal.hpp"

#include <optional>

namespace troupe {

/// The outcome that the recorded output comes to by the agent's own settings, read as it was when it came: completed with
/// its value, or failed with its error. None where the output does not decide: there is none, the attempt was stopped from
/// outside or broke off, it was another one's last try, or who answered was a function or a child run. The streams of
/// `recorded` are there, not in files.
std::optional<task_outcome> read_again(const attempt_order& order, const recorded_attempt& recorded);

}  // namespace troupe
