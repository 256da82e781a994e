// What the end of a process says by itself, before anything it printed is looked into. Pure.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/error.hpp"
#include "messages/run.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct exit_facts {
  attempt_exit exit;
  std::string_view standard_output;
  std::string_view standard_error;
  bool output_too_large = false;  ///< We stopped it for that.
};

/// None where the process ended well and printed something. In this order: OUTPUT_TOO_LARGE, AGENT_SIGNAL, AGENT_EXIT
/// (a status that is not in ok_exit), AGENT_NO_OUTPUT. Never by what the text says.
std::optional<error> judge_exit(const agent_spec& spec, const exit_facts& facts);

/// One line of `bytes` to show to people: the last that is not empty, ill-formed UTF-8 replaced, control characters and
/// ANSI sequences taken out, at most `bytes_max` bytes and never cut within a character.
std::string last_line_for_display(std::string_view bytes, std::size_t bytes_max);

/// The same for one line.
std::string for_display(std::string_view line, std::size_t bytes_max);

}  // namespace troupe
