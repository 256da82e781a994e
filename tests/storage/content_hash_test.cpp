// What makes two commands the same command, frozen: databases hold these hashes.
#include "storage/content_hash.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace troupe {
namespace {

std::string hex(const std::array<std::uint8_t, 32>& bytes) {
  std::string text;
  for (const auto byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

// Computed by Python's hashlib from `tag length bytes` of each field.
TEST(content_hash, of_a_run_is_what_it_was_before_there_were_children_and_forks) {
  create_run told;
  told.run = run_id{"r-1"};
  told.workflow_name = "flow";
  told.workflow_hash = "sha256:aa";
  told.subject = "river";
  told.inputs = json_text{"{}"};
  EXPECT_EQ(hex(content_hash(told)), "8c6798b75c4f559f988602b0b13acb0b770ab21ff20bfa5a82d268f80a0c42de");
  auto child = told;
  child.parent = run_id{"r-0"};
  auto fork = told;
  fork.forked_at = superstep_no{1};
  EXPECT_NE(content_hash(child), content_hash(told));
  EXPECT_NE(content_hash(fork), content_hash(told));
  EXPECT_NE(content_hash(fork), content_hash(child));
}

TEST(content_hash, does_not_depend_on_the_time) {
  resume_run told{run_id{"r-1"}, event_seq{3}, timestamp{}};
  auto later = told;
  later.at += std::chrono::seconds{5};
  EXPECT_EQ(content_hash(told), content_hash(later));
  later.from = event_seq{4};
  EXPECT_NE(content_hash(told), content_hash(later));
}

}  // namespace
}  // namespace troupe
