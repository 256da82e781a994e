// A folder of cassettes: `troupe run --record DIR` fills it, `--playback DIR` answers from it.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "messages/base/result.hpp"
#include "runtime/cassettes/cassette.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace troupe {

/// `2.plan.claude.1.0123456789abcdef.cassette.json`: superstep, step, agent, attempt, request.
std::string file_name(const recorded_request& asked);

/// An answer to a request that is recorded already, at the same place of its run, takes the place of the old one; a reader
/// finds each file whole or not at all, whoever else writes into the folder. Mode 0600: an agent may print what is not for
/// everybody. Blocks on the disk. OUTPUT_TOO_LARGE: it could not be read again; STORAGE_*. After an error the folder is as
/// it was.
status write_cassette(const std::filesystem::path& folder, const cassette& what);

/// Makes the folder where there is none; the recorder writes on a thread of its own, to its end.
/// INVALID_INPUT: the folder cannot be written.
result<std::shared_ptr<answer_recorder>> record_into(const std::filesystem::path& folder);

/// Reads all of the folder, once. runtime/cassettes/cassette_player.hpp tells who gets which answer.
/// INVALID_INPUT: no folder, or a cassette in it that cannot be read; named.
result<std::shared_ptr<answer_player>> play_from(const std::filesystem::path& folder);

}  // namespace troupe
