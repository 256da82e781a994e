// Workflows of every shape that a file can have, from a seed. Each is spelled well; it need not pass the checks.
#pragma once

#include "messages/workflow.hpp"

#include <cstdint>
#include <string>

namespace troupe::test {

workflow random_workflow(std::uint64_t seed);

/// All that a file says of a workflow, as text: equal exactly for equal workflows.
std::string described(const workflow& flow);

}  // namespace troupe::test
