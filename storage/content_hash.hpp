// What makes two commands the same command.
#pragma once

#include "messages/writes.hpp"

#include <array>
#include <cstdint>

namespace troupe {

/// SHA-256 over a length-prefixed encoding of every field of the command, in the order of its declaration, but for `at`
/// (a sender that asks again after a restart derives the same fact, and may do so at another time) and for where a
/// stream is kept: the hash is the same whether it is in the row or in a file, whose digest spares hashing it. Stored in
/// write_keys.content_hash: the encoding never changes.
///
/// create_run is compared by what its sender chose: workflow (name and hash), subject and inputs. The rest follows from
/// that (source, limits, initial state, first front), or is pinned by the first one (config).
std::array<std::uint8_t, 32> content_hash(const write_command& command);

}  // namespace troupe
