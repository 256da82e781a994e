// What is known of an attempt that prints nothing, and what is told of one that took too long. Pure.
#pragma once

#include "actors/agent/attempt_session.hpp"
#include "actors/agent/judgement.hpp"
#include "actors/agent/process_port.hpp"
#include "messages/attempt.hpp"
#include "messages/base/error.hpp"

namespace troupe {

/// That its processes use a fiftieth of a processor or more: programs that wait for an answer wake up now and then.
bool is_busy(const process_silence& seen) noexcept;

/// TASK_TIMEOUT, in words that say which limit it was, what was printed last and when, and whether the processes computed.
error tell_overrun(const attempt_order& order, attempt_session::limit which, const attempt_end& end);

}  // namespace troupe
