// What an agent's output says beside its answer, by the rules of its adapter. Pure; linear in the size of the output.
#pragma once

#include "actors/agent/outcome.hpp"
#include "actors/agent/output_parsing.hpp"
#include "messages/agent.hpp"
#include "messages/base/error.hpp"
#include "messages/base/result.hpp"
#include "messages/run.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct recognised_output {
  /// The first of `failures` that holds; where the words or the delay are in the output, with these.
  std::optional<error> failure;
  std::optional<token_usage> usage;  ///< Also of an attempt that failed: it was paid for.
  std::string session;
  /// Set where `answer` says where it is. OUTPUT_INVALID: it is not there, is no JSON though it should be, or lacks what
  /// is required. `found_by` is `answer` for one that is taken as it stands, else as in parse_output.
  std::optional<result<parsed_output>> answer;
};

/// Of a process that ended by itself. Lines of `jsonl` that are no JSON are passed over; output that is none has no
/// value for any rule, so that rules about exit codes alone may still hold.
recognised_output recognise(const agent_spec& spec, const exit_facts& facts, std::string_view prompt);

}  // namespace troupe
