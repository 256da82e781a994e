// Functions that make every guarantee testable from the command line, without any agent. In every build.
#pragma once

#include "messages/function.hpp"

#include <memory>

namespace troupe {

class crash_orders;

/// `probe.NAME` of the contract, section 3: set append add sleep fail echo log expect rng usage route crash. `args` is
/// one table or a list of tables, carried out in order. Wrong args fail the attempt with INVALID_INPUT and say what is
/// allowed. `crashes` takes the orders of probe.crash; it is what kills, here and at the points behind the function;
/// null where the names alone are looked at.
function_table probe_functions(const std::shared_ptr<crash_orders>& crashes);

}  // namespace troupe
