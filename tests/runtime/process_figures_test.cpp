// What is counted, and how much may be: time, progress, open files.
#include "runtime/os/process_reactor.hpp"
#include "tests/runtime/watched_child.hpp"
#include "tests/support/forked.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <chrono>
#include <string>
#include <vector>

namespace troupe {
namespace {

// PR-12: of the tree, and not of its first process alone.
TEST(process_figures, the_cpu_time_is_also_that_of_what_outlived_the_leader) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  const auto child = run(reactor, scripted({"fork", "flood", "100000000", "--", "exit", "0"}));
  EXPECT_EQ(child->end.standard_output_bytes, 100'000'000);
  EXPECT_GT(child->end.usage.cpu_time, 5ms);
}

TEST(process_figures, progress_is_told_no_more_often_than_every_fifty_milliseconds) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  std::vector<std::string> script;
  for (int i = 0; i < 100; ++i) {
    script.insert(script.end(), {"print", "x\n", "work", "3"});
  }
  const auto began = std::chrono::steady_clock::now();
  const auto child = run(reactor, scripted(script));
  EXPECT_GE(child->progress_told, 2);
  EXPECT_LE(child->progress_told, (std::chrono::steady_clock::now() - began) / 50ms + 1);
}

TEST(process_figures, open_files_are_raised_for_the_host_and_not_for_the_child) {
  EXPECT_TRUE(passes_in_child([] {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlimit few{200, files.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
    ::getrlimit(RLIMIT_NOFILE, &files);
    EXPECT_EQ(files.rlim_cur, files.rlim_max);
    EXPECT_EQ(run(reactor, scripted({"limit"}))->end.standard_output, "200");
  }));
}

}  // namespace
}  // namespace troupe
