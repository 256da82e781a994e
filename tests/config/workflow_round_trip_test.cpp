// A workflow that is written and read again is the same one.
#include "tests/config/random_workflow.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace troupe::test {
namespace {

TEST(WorkflowRoundTrip, keeps_random_workflows) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    const auto made = random_workflow(seed);
    const auto text = to_toml(made);
    const auto read = parse_workflow(text, "f.toml", "/nowhere");
    ASSERT_NE(read.flow, nullptr) << "seed " << seed << "\n" << joined(lines_of(read.problems)) << text;
    ASSERT_EQ(described(*read.flow), described(made)) << "seed " << seed << "\n" << text;
    ASSERT_EQ(to_toml(*read.flow), text) << "seed " << seed;
    ASSERT_EQ(read.flow->source, text) << "seed " << seed;
  }
}

// Whatever a workflow is, the checks come to an end, and what they find stands somewhere.
TEST(WorkflowRoundTrip, of_random_workflows_is_checked) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const auto loaded = parse_workflow(to_toml(random_workflow(seed)), "f.toml", "/nowhere");
    for (const auto& each : check_workflow(loaded, known_names())) {
      ASSERT_GE(each.at.line, 1) << "seed " << seed << ": " << line_of(each);
      ++found;
    }
  }
  EXPECT_GT(found, 100) << "there was too little to find";
}

}  // namespace
}  // namespace troupe::test
