// Functions that make every guarantee testable from the command line, without any agent. In every build.
#pragma once

#include "messages/function.hpp"

namespace troupe {

/// `probe.NAME` of the contract, section 3: set append add sleep fail echo log expect rng usage. `args` is one table or
/// a list of tables, carried out in order. Wrong args fail the attempt with INVALID_INPUT and say what is allowed.
function_table probe_functions();

}  // namespace troupe
