// A second process beside one that runs, is stopped, or was killed: looking is free, writing is refused with the owner's
// name, and a dead owner is in nobody's way.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

namespace troupe {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class cli_beside_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("held.toml", R"(
name = "held"
[[step]]
id = "first"
agent = "quick"
next = "wait"
[[step]]
id = "wait"
agent = "held"
)");
    write(
        "troupe.toml",
        "[agents.quick]\n" + scripted({"complain", "quick\n", "print", "quick"}) + "[agents.held]\n" + held_.command());
  }

  /// A run whose second step has started, and waits.
  cli_process start_held() const { return start({"run", "held.toml", "--run-id", "r1"}); }

  void expect_looks_are_answered() const {
    const auto show = run({"show", "r1"});
    EXPECT_EQ(show.code, 0) << show.err;
    EXPECT_THAT(show.out, AllOf(HasSubstr("running"), Not(HasSubstr("abandoned"))));
    const auto as_json = json_of(run({"show", "r1", "--json"}).out);
    EXPECT_EQ(at(as_json, "/state"), "running");
    EXPECT_EQ(at(as_json, "/tasks/0/state"), "completed");
    EXPECT_EQ(at(as_json, "/tasks/1/state"), "running");
    EXPECT_EQ(run({"runs", "-q"}).out, "r1\n");
    const auto logs = run({"logs", "r1"});
    EXPECT_EQ(logs.code, 0) << logs.err;
    EXPECT_THAT(logs.out, AllOf(HasSubstr("task.completed"), HasSubstr("task.started")));
    EXPECT_EQ(run({"logs", "r1", "--stderr", "-q"}).out, "quick\n");
    EXPECT_EQ(run({"output", "r1", "first"}).out, "quick");
    EXPECT_EQ(run({"output", "r1", "wait", "--json"}).code, 0);
    const auto info = run({"db", "info"});
    EXPECT_EQ(info.code, 0) << info.err;
    const auto check = run({"db", "check"});
    EXPECT_EQ(check.code, 0) << check.out << check.err;
  }

  void expect_writing_is_refused(pid_t owner) const {
    const auto named = "process " + std::to_string(owner) + " on .*, since 20[0-9]+-[0-9]+-[0-9]+T[0-9:.]+Z";
    for (const words& command : {words{"run", "held.toml", "--run-id", "r2"},
                                 words{"run", "held.toml", "--run-id", "r1"},
                                 words{"resume", "r1"},
                                 words{"resume", "--all"}}) {
      const auto refused = run(command);
      EXPECT_EQ(refused.code, 8) << command.front();
      EXPECT_THAT(refused.err, AllOf(ContainsRegex(named), HasSubstr("hint:"))) << command.front();
      EXPECT_EQ(refused.out, "");
    }
    const auto as_json = run({"run", "held.toml", "--json"});
    EXPECT_EQ(as_json.code, 8);
    EXPECT_EQ(at(json_of(as_json.out), "/error/code"), "LEASE_HELD");
    EXPECT_THAT(at(json_of(as_json.out), "/error/message"), ContainsRegex(named));
  }

  latch held_{path("latch")};
};

TEST_F(cli_beside_test, a_run_is_looked_at_and_left_alone) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  auto following = start({"logs", "r1", "--follow"});
  ASSERT_TRUE(following.wait_for("wait"));
  expect_looks_are_answered();
  expect_writing_is_refused(running.pid());
  held_.let_go();
  EXPECT_EQ(running.wait().code, 0);
  const auto followed = following.wait();
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_EQ(followed.out, run({"logs", "r1"}).out);
  EXPECT_EQ(run({"runs", "-q"}).out, "r1\n") << "what was refused left nothing";
}

TEST_F(cli_beside_test, a_run_whose_process_is_stopped_keeps_what_it_has) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGSTOP);
  ASSERT_TRUE(becomes_true([&] { return state_of(running.pid()).first == 'T'; }));
  auto following = start({"logs", "r1", "--follow"});
  ASSERT_TRUE(following.wait_for("wait"));
  expect_looks_are_answered();
  expect_writing_is_refused(running.pid());
  held_.let_go();
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("running")) << "its agent is done, and nobody is there to write it";
  running.signal(SIGCONT);
  EXPECT_EQ(running.wait().code, 0);
  const auto followed = following.wait();
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_EQ(followed.out, run({"logs", "r1"}).out);
}

TEST_F(cli_beside_test, a_killed_process_is_in_nobodys_way) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  expect_writing_is_refused(running.pid());
  running.signal(SIGKILL);
  const auto killed_at = std::chrono::steady_clock::now();
  // The first try: its death has been reported, so there is nothing to wait for.
  ASSERT_EQ(running.wait().code, 128 + SIGKILL);
  const auto next = run({"run", "held.toml", "--run-id", "r2", "-q", "--agent", "held=echo gone on"});
  EXPECT_EQ(next.code, 0) << next.err;
  EXPECT_LT(std::chrono::steady_clock::now() - killed_at, std::chrono::seconds{20});
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("abandoned"));
  held_.let_go();
  const auto resumed = json_of(run({"resume", "r1", "--json"}).out);
  EXPECT_EQ(at(resumed, "/state"), "completed");
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

// Reading needs no leave of anybody: neither of the owner nor of the one who comes after it.
TEST_F(cli_beside_test, who_follows_sees_the_end_although_the_process_that_wrote_it_is_another) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  auto following = start({"logs", "r1", "--follow", "--json"});
  ASSERT_TRUE(following.wait_for("task.started"));
  running.signal(SIGKILL);
  running.wait();
  auto resumed = start({"resume", "r1"});
  ASSERT_TRUE(resumed.wait_for("attempt 2"));  // whose agent is the only one by now
  held_.let_go();
  EXPECT_EQ(resumed.wait().code, 0);
  const auto followed = following.wait();
  EXPECT_EQ(followed.code, 0) << followed.err;
  std::int64_t seq = 0;
  for (const auto& each : json_lines_of(followed.out)) {
    EXPECT_EQ(at(each, "/seq"), std::to_string(++seq));
  }
  EXPECT_EQ(at(json_lines_of(followed.out).back(), "/kind"), "run.completed");
}

}  // namespace
}  // namespace troupe
