// What an agent is asked, as one hash: equal requests have equal hashes in every run, on every machine. Pure.
#pragma once

#include "messages/attempt.hpp"

#include <string>

namespace troupe {

/// `sha256:` and the hex digest over these parts, each preceded by its length in bytes as eight bytes, big-endian:
///
///   kind           command, http, function or workflow
///   agent          its name; of a function the function's
///   model
///   prompt         rendered
///   args           of a function, as JSON; else empty
///   item           of a map, as JSON; else empty
///   then of a command each word of its command line, the model's included, with their number before them;
///   of an agent over HTTP its endpoint; of a child run the hash of its workflow; of a function nothing more.
///
/// Not among them: the run, the task and the attempt, the environment, keys and headers, limits, and how the answer is
/// read. A function also sees the state, which the superstep's own key covers.
/// Stored in attempts.request_hash: never change.
std::string request_hash(const attempt_order& order);

}  // namespace troupe
