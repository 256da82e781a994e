// Workflows of any shape, and a world for them: one of each from one seed.
#pragma once

#include "messages/workflow.hpp"
#include "tests/support/reference_engine.hpp"

#include <cstdint>

namespace troupe {

/// Branches, conditions, loops, joins, maps, gates, on_error, functions that choose their way and steps of one to three
/// agents that collect or vote, over fields of every reducer; max_steps bounds it. What the check of workflows refuses is not in it.
workflow random_workflow(std::uint64_t seed);

/// Tasks and people that depend on the seed and on what they see, and on nothing else. Refers to nothing.
reference_world random_world(const workflow& flow, std::uint64_t seed);

/// The state without the words of an error, which are nobody's promise.
boost::json::object without_words(boost::json::object state);

}  // namespace troupe
