// cancel, resume, and signals: acting on runs that are not over.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_act_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("held.toml", R"(
name = "held"
[[step]]
id = "first"
function = "probe.set"
args = { field = "n", value = 1 }
next = "wait"
[[step]]
id = "wait"
agent = "held"
)");
    write("troupe.toml", "[runtime]\ndrain_timeout = '0ms'\nkill_grace = '10s'\n[agents.held]\n" + held_.command());
  }

  /// A run whose second step has started, and waits.
  cli_process start_held() const { return start({"run", "held.toml", "--run-id", "r1"}); }

  /// The same, given up by its process.
  void pause_held() const {
    auto running = start_held();
    ASSERT_TRUE(running.wait_for("wait/held"));
    running.signal(SIGTERM);
    ASSERT_EQ(running.wait().code, 4);
  }

  std::string state() const { return std::string{to_string(run_of("r1").state)}; }

  latch held_{path("latch")};
};

TEST_F(cli_act_test, ctrl_c_cancels) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("cancelling: tasks are asked to stop"));
  EXPECT_THAT(ended.out, HasSubstr("held  cancelled"));
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(tasks_of("r1").at(1).state, task_state::cancelled);
  EXPECT_EQ(tasks_of("r1").at(1).signal, SIGTERM);
  EXPECT_EQ(run({"resume", "r1"}).code, 5) << "an end is an end";
}

TEST_F(cli_act_test, a_second_ctrl_c_kills) {
  write("troupe.toml",
        "[runtime]\nkill_grace = '1h'\n[agents.held]\n" + scripted({"ignore-term", "complain", "deaf\n", "hang"}));
  auto running = start({"run", "held.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGINT);
  ASSERT_TRUE(running.wait_for("cancelling"));
  running.signal(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("killing what still runs"));
  EXPECT_EQ(state(), "cancelled");
}

TEST_F(cli_act_test, a_paused_run_is_resumed_without_doing_anything_twice) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGTERM);
  const auto paused = running.wait();
  EXPECT_EQ(paused.code, 4);
  EXPECT_THAT(paused.err, AllOf(HasSubstr("pausing"), HasSubstr("troupe resume r1")));
  EXPECT_EQ(state(), "paused");
  held_.let_go();
  const auto done = run({"resume", "r1"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, AllOf(HasSubstr("held  completed"), HasSubstr("wait: go")));
  EXPECT_THAT(done.err, AllOf(HasSubstr("run.resumed"), Not(HasSubstr("run.started"))));
  const auto tasks = tasks_of("r1");
  EXPECT_EQ(tasks.at(0).attempt, attempt_no{1});
  EXPECT_EQ(tasks.at(1).attempt, attempt_no{2});
}

TEST_F(cli_act_test, a_run_whose_process_was_killed_is_resumed) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGKILL);
  EXPECT_EQ(running.wait().code, 128 + SIGKILL);
  ASSERT_TRUE(is_gone(static_cast<pid_t>(tasks_of("r1").at(1).pid)));
  held_.let_go();
  const auto done = json_of(run({"resume", "last", "--json"}).out);
  EXPECT_EQ(at(done, "/state"), "completed");
  EXPECT_EQ(at(done, "/result"), R"({"n":1,"wait":"go"})");
  EXPECT_THAT(run({"logs", "r1"}).out, HasSubstr("task.interrupted"));
}

TEST_F(cli_act_test, the_same_command_again_goes_on_with_an_unfinished_run) {
  pause_held();
  held_.let_go();
  EXPECT_EQ(start_held().wait().code, 0);
  EXPECT_EQ(run({"runs", "-q"}).out, "r1\n");
}

TEST_F(cli_act_test, resume_all_goes_through_what_is_unfinished) {
  EXPECT_EQ(run({"run", "held.toml", "--run-id", "r0", "-q", "--agent", "held=echo go"}).code, 0);
  EXPECT_THAT(run({"resume", "--all"}).err, HasSubstr("no run is unfinished"));
  pause_held();
  held_.let_go();
  const auto all = json_lines_of(run({"resume", "--all", "--json"}).out);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(at(all.front(), "/run"), "r1");
  EXPECT_EQ(at(all.front(), "/state"), "completed");
}

TEST_F(cli_act_test, cancel_ends_a_run_that_nobody_carries_out) {
  pause_held();
  const auto cancelled = run({"cancel", "r1"});
  EXPECT_EQ(cancelled.code, 0);
  EXPECT_THAT(cancelled.err, HasSubstr("run r1 is cancelled"));
  EXPECT_EQ(state(), "cancelled");
  const auto again = run({"cancel", "r1", "--json"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(at(json_of(again.out), "/state"), "cancelled");
}

TEST_F(cli_act_test, cancel_refuses_what_has_ended_or_never_was) {
  EXPECT_EQ(run({"cancel", "r1"}).code, 2);
  held_.let_go();
  ASSERT_EQ(start_held().wait().code, 0);
  const auto finished = run({"cancel", "r1"});
  EXPECT_EQ(finished.code, 2);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("run r1 has ended: completed"), HasSubstr("hint:")));
  const auto unknown = run({"cancel", "r2", "--json"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(at(json_of(unknown.out), "/error/code"), "NOT_FOUND");
}

TEST_F(cli_act_test, a_run_of_a_living_process_is_left_to_it) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  const std::string owner = std::to_string(running.pid());
  const auto resumed = run({"resume", "r1"});
  EXPECT_EQ(resumed.code, 8);
  EXPECT_THAT(resumed.err, HasSubstr(owner));
  EXPECT_EQ(run({"run", "held.toml"}).code, 8);
  EXPECT_EQ(run({"db", "check"}).code, 0) << "looking is free";
  held_.let_go();
  EXPECT_EQ(running.wait().code, 0);
}

}  // namespace
}  // namespace troupe
