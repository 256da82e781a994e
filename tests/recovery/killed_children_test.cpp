// kill -9 of the real program in the middle of runs within a run.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/map_file.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <random>
#include <sstream>
#include <thread>

namespace troupe {
namespace {

class killed_children_test : public cli_fixture {
 protected:
  // A line for each execution, outside of anything that Troupe knows.
  std::string noting(const std::string& then) const {
    return R"(command = ["/bin/sh", "-c", "read it; echo $TROUPE_RUN_ID/$TROUPE_STEP_ID >> )" + path("noted") + "; " +
           then + R"("])" + "\n";
  }

  std::map<std::string, int> noted() const {
    std::map<std::string, int> times;
    std::istringstream lines{file_text(path("noted"))};
    for (std::string line; std::getline(lines, line);) {
      ++times[line];
    }
    return times;
  }

  void expect_intact() const {
    const auto checked = run({"db", "check"});
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  }
};

TEST_F(killed_children_test, what_a_child_had_committed_is_not_executed_again) {
  write("leaf.toml", R"(
name = "leaf"
[inputs.file]
required = true
[[step]]
id = "note"
agent = "noter"
prompt = "{{inputs.file}}\n"
next = "wait"
[[step]]
id = "wait"
agent = "held"
)");
  write("top.toml", map_file("top", "leaf.toml"));
  const auto door = path("door");  // several wait for it at once, so that a latch would not do
  write("troupe.toml",
        "[agents.held]\ncommand = [\"/bin/sh\", \"-c\", \"until [ -e " + door +
            " ]; do sleep 0.01; done; echo go\"]\n" + "pass_env = ['PATH']\n[agents.noter]\n" + noting("echo $it"));
  write("door", "");
  const auto whole = json_of(run({"run", "top.toml", "--run-id", "whole", "--json"}).out);
  ASSERT_EQ(at(whole, "/state"), "completed");

  std::filesystem::remove(door);
  auto running = start({"run", "top.toml", "--run-id", "r1"});
  ASSERT_TRUE(becomes_true([&] {
    const auto children = child_runs_of("r1");
    return children.size() == 2 &&
           std::ranges::all_of(children, [](const run_view& child) { return child.steps == 2; });
  })) << "each has begun its second step";
  running.signal(SIGKILL);
  running.wait();
  expect_intact();
  write("door", "");
  const auto done = json_of(run({"resume", "r1", "--json"}).out);
  EXPECT_EQ(at(done, "/state"), "completed");
  EXPECT_EQ(at(done, "/state_hash"), at(whole, "/state_hash"));
  EXPECT_EQ(noted().size(), 4U);
  for (const auto& [task, times] : noted()) {
    EXPECT_EQ(times, 1) << task;
  }
  expect_intact();
}

// Two levels of children, two of each, killed at instants that the seed chooses until all is over.
class children_killed_again_and_again_test : public killed_children_test, public ::testing::WithParamInterface<int> {};

TEST_P(children_killed_again_and_again_test, come_to_what_undisturbed_ones_come_to) {
  write("top.toml", map_file("top", "middle.toml"));
  write("middle.toml", map_file("middle", "leaf.toml"));
  write("leaf.toml", R"(
name = "leaf"
[inputs.file]
[[step]]
id = "one"
agent = "noter"
on_crash = "retry"
prompt = "{{inputs.file}}\n"
next = "two"
[[step]]
id = "two"
agent = "noter"
on_crash = "retry"
prompt = "{{state.one}}\n"
)");
  // Of an external effect: it begins behind the row of its start.
  write("troupe.toml", "[agents.noter]\neffects = 'external'\n" + noting("sleep 0.02; echo $it"));
  const auto seed = static_cast<std::uint64_t>(GetParam());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const auto whole = json_of(run({"run", "top.toml", "--run-id", "whole", "--json"}).out);
  ASSERT_EQ(at(whole, "/state"), "completed");
  int killed = 0;
  for (int i = 0; i < 200; ++i) {
    auto running = start({"run", "top.toml", "--run-id", "r1", "--json"});
    const auto stop = std::chrono::steady_clock::now() + std::chrono::microseconds{5'000 + random() % 60'000};
    std::this_thread::sleep_until(stop);  // the instant is the point: nothing is waited for
    running.signal(SIGKILL);
    const auto ended = running.wait();
    if (ended.code == 0) {
      break;
    }
    ASSERT_EQ(ended.code, 128 + SIGKILL) << ended.err;
    ++killed;
  }
  EXPECT_GE(killed, 2);
  const auto done = json_of(run({"run", "top.toml", "--run-id", "r1", "--json"}).out);
  EXPECT_EQ(at(done, "/state"), "completed");
  EXPECT_EQ(at(done, "/state_hash"), at(whole, "/state_hash"));
  expect_intact();
  const auto times = noted();
  int leaves = 0;
  for (const auto& middle : child_runs_of("r1")) {
    for (const auto& leaf : child_runs_of(middle.run.str())) {
      ++leaves;
      for (const auto& task : tasks_of(leaf.run.str())) {
        const auto found = times.find(leaf.run.str() + '/' + task.step.str());
        ASSERT_NE(found, times.end());
        EXPECT_LE(found->second, task.attempt.value()) << task.task << ": executed by no more attempts than it has";
      }
      const auto events = json_lines_of(run({"logs", leaf.run.str(), "--json"}).out);
      std::map<std::string, std::string> newest;
      for (const auto& event : events) {
        const auto task = at(event, "/task");
        const auto kind = at(event, "/kind");
        EXPECT_FALSE(kind == "task.started" && newest[task] == "task.completed") << task << " was executed again";
        newest[task] = kind;
      }
    }
  }
  EXPECT_EQ(leaves, 4);
}

INSTANTIATE_TEST_SUITE_P(by_seed, children_killed_again_and_again_test, ::testing::Values(1, 2));

}  // namespace
}  // namespace troupe
