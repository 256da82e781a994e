// Runs of steps, from the command line: who is listed, shown, cancelled and gone on with.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/map_file.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_children_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("leaf.toml", R"(
name = "leaf"
[inputs.file]
required = true
[[step]]
id = "work"
agent = "worker"
prompt = "{{inputs.file}}"
)");
    write("top.toml", map_file("top", "leaf.toml"));
    write("middle.toml", map_file("middle", "leaf.toml"));
    write("deep.toml", map_file("deep", "middle.toml"));
  }

  void agent(const words& script) const {
    write("troupe.toml", "[runtime]\ndrain_timeout = '0ms'\n[agents.worker]\n" + scripted(script));
  }

  const std::string mark_ = new_mark();
};

TEST_F(cli_children_test, a_run_and_its_children_name_each_other) {
  agent({"cat"});
  const auto ended = run({"run", "top.toml", "--run-id", "r1", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(at(json_of(ended.out), "/result/each"), R"([{"work":"x"},{"work":"y"}])");
  const auto children = child_runs_of("r1");
  ASSERT_EQ(children.size(), 2U);
  const auto first = children[0].run.str();

  const auto runs = run({"runs"});
  EXPECT_THAT(runs.out, AllOf(HasSubstr("r1"), Not(HasSubstr(first))));
  EXPECT_THAT(runs.err, HasSubstr("2 child runs not listed"));
  EXPECT_THAT(run({"runs", "--children"}).out, AllOf(HasSubstr("\nr1"), HasSubstr("\n  " + first)));
  EXPECT_EQ(at(json_of(run({"runs", "--json"}).out), "/runs/1"), "nothing");
  const auto listed = json_of(run({"runs", "--children", "--json"}).out);
  EXPECT_EQ(at(listed, "/runs/1/run"), first);
  EXPECT_EQ(at(listed, "/runs/1/parent"), "r1");

  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr(first));
  EXPECT_EQ(at(json_of(run({"show", "r1", "--json"}).out), "/children/0/run"), first);
  EXPECT_THAT(run({"show", first}).out, HasSubstr("r1, task " + children[0].parent_task->str()));
  EXPECT_EQ(at(json_of(run({"show", "last", "--json"}).out), "/run"), "r1") << "the newest that is nobody's child";
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

TEST_F(cli_children_test, a_failed_child_is_named_with_its_error) {
  agent({"complain", "it broke", "exit", "3"});
  const auto ended = run({"run", "top.toml", "--run-id", "r1"});
  EXPECT_EQ(ended.code, 1);
  const auto children = child_runs_of("r1");
  const auto first = std::ranges::min_element(children, {}, &run_view::parent_task);
  ASSERT_NE(first, children.end());
  EXPECT_THAT(ended.out + ended.err, HasSubstr("child run " + first->run.str() + " failed"));
}

TEST_F(cli_children_test, three_levels_of_sleepers_end_within_a_second_of_a_cancel) {
  agent({"mark", mark_, "fork", "hang", "--", "hang"});
  auto running = start({"run", "deep.toml", "--run-id", "r1"});
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 8; }));
  const auto begun = std::chrono::steady_clock::now();
  running.signal(SIGINT);
  EXPECT_EQ(running.wait().code, 5);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{1});
  EXPECT_TRUE(processes_marked(mark_).empty());
  EXPECT_EQ(run_of("r1").state, run_state::cancelled);
  for (const auto& middle : child_runs_of("r1")) {
    EXPECT_EQ(middle.state, run_state::cancelled);
    for (const auto& leaf : child_runs_of(middle.run.str())) {
      EXPECT_EQ(leaf.state, run_state::cancelled);
    }
  }
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

TEST_F(cli_children_test, one_place_for_attempts_is_enough_for_three_levels) {
  agent({"cat"});
  const auto ended = run({"run", "deep.toml", "--set", "runtime.attempts_max=1"});
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST_F(cli_children_test, what_was_paused_goes_on_by_its_root) {
  agent({"mark", mark_, "hang"});
  auto running = start({"run", "top.toml", "--run-id", "r1"});
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 2; }));
  running.signal(SIGTERM);
  EXPECT_EQ(running.wait().code, 4);
  for (const auto& child : child_runs_of("r1")) {
    EXPECT_EQ(child.state, run_state::paused);
  }
  // The configuration is pinned, that of the children too: the same agent, which hangs again.
  auto again = start({"resume", "--all"});
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 2; }));
  again.signal(SIGINT);
  EXPECT_EQ(again.wait().code, 5);
  EXPECT_EQ(child_runs_of("r1").size(), 2U) << "the same children";
  EXPECT_THAT(run({"resume", "--all"}).err, HasSubstr("no run is unfinished"));
}

TEST_F(cli_children_test, a_child_is_cancelled_alone_and_a_parent_with_all_of_its_children) {
  agent({"mark", mark_, "hang"});
  auto running = start({"run", "top.toml", "--run-id", "r1"});
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 2; }));
  running.signal(SIGTERM);
  ASSERT_EQ(running.wait().code, 4);
  const auto children = child_runs_of("r1");
  const auto cancelled = run({"cancel", children[0].run.str()});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_EQ(run_of("r1").state, run_state::paused);
  EXPECT_EQ(child_runs_of("r1")[1].state, run_state::paused);
  EXPECT_EQ(run({"cancel", "r1"}).code, 0);
  EXPECT_EQ(run_of("r1").state, run_state::cancelled);
  EXPECT_EQ(child_runs_of("r1")[1].state, run_state::cancelled);
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

}  // namespace
}  // namespace troupe
