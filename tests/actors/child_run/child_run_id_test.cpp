#include "actors/child_run/child_run_id.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace troupe {
namespace {

TEST(child_run_id_test, is_frozen) {
  EXPECT_EQ(child_run_id(task_id{"r-1/1/each/child/0"}, 0).str(), "r-5vnh04tdaq2bb3z9ps8e");
}

TEST(child_run_id_test, looks_like_every_run_id_however_deep_the_child_is) {
  const std::regex shape{"r-[0-9abcdefghjkmnpqrstvwxyz]{20}"};
  run_id run{"r-1"};
  for (int depth = 0; depth < 20; ++depth) {
    run = child_run_id(make_task_id(run, superstep_no{1}, step_id{"each"}, agent_name{"child"}, depth), 0);
    EXPECT_TRUE(std::regex_match(run.str(), shape)) << run;
  }
}

TEST(child_run_id_test, differs_for_each_element_and_after_each_failure) {
  std::set<std::string> seen;
  for (std::int64_t item = 0; item < 1'000; ++item) {
    for (const int failures : {0, 1, 11}) {
      const auto task = make_task_id(run_id{"r-1"}, superstep_no{1}, step_id{"each"}, agent_name{"child"}, item);
      EXPECT_TRUE(seen.insert(child_run_id(task, failures).str()).second);
    }
  }
}

}  // namespace
}  // namespace troupe
