// A command line that was not understood: what is wrong with it, and what was probably meant.
#pragma once

#include "messages/base/error.hpp"
#include "runtime/cli/command_tree.hpp"

namespace CLI {
class ParseError;
}

namespace troupe {

/// The innermost command that the arguments name.
const CLI::App& named_command(const command_tree& tree);

/// A word stands on the command line that no command took.
bool has_left_over(const command_tree& tree);

/// INVALID_INPUT. `thrown` is what parsing ended with.
error usage_error(const command_tree& tree, const CLI::ParseError& thrown);

/// `troupe show RUN [OPTIONS]`
std::string usage_line(const command_tree& tree, const CLI::App& command);

}  // namespace troupe
