// Many runs as the actors would tell them, interleaved, in transactions of one command or a few: what sweeps over
// failures and power cuts carry out again and again.
#pragma once

#include "storage/write_session.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

using transaction_commands = std::vector<write_command>;

/// The facts of `runs` runs: completed in two supersteps, paused and resumed, cancelled, failed; with outputs of some
/// bytes and of some pages. The same each time it is asked for.
std::vector<transaction_commands> make_workload(int runs);

/// Begins, applies, commits. The first error, also where it is a command's alone; then nothing of the transaction is
/// there.
result<std::vector<applied>> tell(write_session& session, const transaction_commands& commands);

}  // namespace troupe
