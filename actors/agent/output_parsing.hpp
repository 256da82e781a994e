// From what an agent printed to its answer. Pure; linear in the size of the output, whatever it holds.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/error.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct parsed_output {
  json_text value;
  std::string found_by;  ///< text, whole, fenced, balanced or jsonl.
};

/// By the agent's `parse`:
///
///   text    the output as a string, ill-formed UTF-8 replaced, line ends at its end taken off.
///   json    the first that is JSON of: the whole text; the last fenced block; the outermost balanced object, the last
///           one first, then the outermost array; then such within brackets of prose. A candidate that the prompt holds
///           too is the question, not the answer: skipped. Where the prompt holds several objects of the same keys, they
///           are the answers to choose from, and not skipped; the prompt itself, word for word, always is.
///   jsonl   a list with one value for each line that is not blank.
///
/// Then each pointer of `require` must lead somewhere. OUTPUT_INVALID says what and where; the raw output is kept by the
/// caller.
result<parsed_output> parse_output(const agent_spec& spec, std::string_view output, std::string_view prompt);

/// OUTPUT_INVALID where a pointer of `require` leads nowhere in `value`.
std::optional<error> lacks_required(const agent_spec& spec, const json_text& value);

}  // namespace troupe
