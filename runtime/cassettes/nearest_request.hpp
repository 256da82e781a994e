// Which of the recorded requests comes nearest to one that is not among them, and what differs. Pure.
#pragma once

#include "runtime/cassettes/cassette.hpp"

#include <string>
#include <vector>

namespace troupe {

/// The one with the most in common: the agent, then the model, the element of a map, the step, the first lines of the
/// prompt. Null where there is none.
const recorded_request* nearest_request(const std::vector<const recorded_request*>& all, const recorded_request& asked);

/// For people: the first of agent, model, element, line of the prompt that differs; where none does, it is the command
/// line or the endpoint.
std::string difference(const recorded_request& recorded, const recorded_request& asked);

}  // namespace troupe
