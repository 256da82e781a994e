// A folder of cassettes: `troupe run --record DIR` fills it, `--playback DIR` answers from it.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "messages/base/result.hpp"

#include <filesystem>
#include <memory>

namespace troupe {

/// Makes the folder where there is none. An answer to a request that is recorded already, at the same place of its run,
/// takes the place of the old one; a reader finds each file whole or not at all.
/// INVALID_INPUT: the folder cannot be written.
result<std::shared_ptr<answer_recorder>> record_into(const std::filesystem::path& folder);

/// Reads all of the folder, once. A request that was made several times has its answers in the order in which its task
/// asked: the n-th attempt the n-th answer, and each further one the last. A task that stands elsewhere in its run than
/// any that was recorded gets the answers of the same step at the superstep before it, else of the first that asked.
/// INVALID_INPUT: no folder, or a cassette in it that cannot be read; named.
result<std::shared_ptr<answer_player>> play_from(const std::filesystem::path& folder);

}  // namespace troupe
