// The command line as one call: arguments in, exit code out.
#pragma once

namespace troupe {

/// Everything that the program does. Prints; never throws. What main() returns.
int run_command_line(int count, const char* const* arguments);

}  // namespace troupe
