// Numbers and keys that are the same in every recovery, on every machine.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace troupe {

/// The first 8 bytes, big-endian, of SHA-256 over the run's id (EN-3).
std::uint64_t run_seed(const run_id& run);

/// The seed of one attempt's own random stream: of SHA-256 over the length-prefixed run, task and attempt (EN-3).
std::uint64_t task_seed(const run_id& run, const task_id& task, attempt_no attempt);

/// `sha256:` and the hex digest over the length-prefixed run, superstep, front in order, and state (EN-6). Each part is
/// preceded by its length in bytes as eight bytes, big-endian; numbers are decimal text; the front is preceded by the
/// number of its tasks. Stored in supersteps.idempotency_key: never change.
std::string superstep_key(const run_id& run,
                          superstep_no superstep,
                          std::span<const std::string> front,
                          const json_text& state);

}  // namespace troupe
