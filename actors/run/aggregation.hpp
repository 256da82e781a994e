// What an aggregator gets to see of the others. Pure.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/consensus.hpp"

#include <span>
#include <string>

namespace troupe {

/// An object of agent to answer, canonical, for `{{outputs}}`. Nothing but the answers: who gave none is not in it, and
/// neither is the reason, so that the same answers make the same prompt.
json_text outputs_object(std::span<const agent_answer> members);

/// What an aggregator is asked where the step has no prompt for it: one JSON object with what
/// config/workflow_words.hpp requires (`agreements` and `conflicts`, both lists) and a `summary`. Names `{{outputs}}`.
std::string default_aggregate_prompt();

}  // namespace troupe
