// kill -9 of the real program while it carries out a run: what is left of its agents, of the database, and of the work.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::milliseconds one_second{1'000};

class killed_run_test : public cli_fixture {
 protected:
  // Every test but the first of its kind can tell what is wrong from these two.
  void expect_intact() const {
    const auto checked = run({"db", "check"});
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  }
};

// Each agent has a child in its group, and an orphan in a session of its own, and none of them hears SIGTERM.
class killed_among_agents_test : public killed_run_test {
 protected:
  void SetUp() override {
    write("slow.toml", R"(
name = "slow"
[[step]]
id = "begin"
function = "probe.set"
args = { field = "n", value = 1 }
next = "ask"
[[step]]
id = "ask"
agents = ["a", "b", "c"]
[step.consensus]
strategy = "collect"
)");
    std::string agents;
    for (const auto* name : {"a", "b", "c"}) {
      agents +=
          "[agents." + std::string{name} + "]\n" +
          scripted(
              {"mark", mark_, "ignore-term", "fork", "hang", "--", "detach", "hang", "--", "print", "up\n", "hang"});
    }
    write("troupe.toml", agents);
  }

  bool all_are_up() const {
    return becomes_true([&] { return processes_marked(mark_).size() == 9; });
  }

  const std::string mark_ = new_mark();
};

TEST_F(killed_among_agents_test, leaves_no_process_within_a_second_and_a_database_that_tells_the_truth) {
  auto running = start({"run", "slow.toml", "--run-id", "r1"});
  for (const auto* task : {"ask/a", "ask/b", "ask/c"}) {
    ASSERT_TRUE(running.wait_for(task));  // told when the start is committed, which is after the processes are up
  }
  ASSERT_TRUE(all_are_up());
  const auto killed_at = std::chrono::steady_clock::now();
  running.signal(SIGKILL);
  EXPECT_TRUE(becomes_true([&] { return processes_marked(mark_).empty(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - killed_at, one_second);
  EXPECT_EQ(running.wait().code, 128 + SIGKILL);

  expect_intact();
  const auto shown = run({"show", "r1"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("running, abandoned"),
                    HasSubstr("troupe resume r1"),
                    HasSubstr("interrupted"),
                    HasSubstr("completed")));
  EXPECT_THAT(run({"runs"}).out, HasSubstr("abandoned"));
  EXPECT_THAT(run({"db", "info"}).out, HasSubstr("which has ended"));
  const auto json = json_of(run({"show", "r1", "--json"}).out);
  EXPECT_EQ(at(json, "/abandoned"), "true");
  EXPECT_EQ(at(json, "/result"), R"({"n":1})");
  EXPECT_EQ(at(json, "/tasks/0/state"), "completed");
  EXPECT_EQ(at(json, "/tasks/1/state"), "interrupted");
}

TEST_F(killed_among_agents_test, a_run_that_goes_on_is_not_abandoned) {
  auto running = start({"run", "slow.toml", "--run-id", "r1"});
  ASSERT_TRUE(all_are_up());
  const auto shown = run({"show", "r1"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("running"), Not(HasSubstr("abandoned")), Not(HasSubstr("interrupted"))));
  running.signal(SIGKILL);
  running.wait();
}

TEST_F(killed_among_agents_test, an_abandoned_run_stays_so_while_another_process_works) {
  auto first = start({"run", "slow.toml", "--run-id", "r1"});
  ASSERT_TRUE(all_are_up());
  first.signal(SIGKILL);
  first.wait();
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).empty(); }));
  auto second = start({"run", "slow.toml", "--run-id", "r2"});
  ASSERT_TRUE(all_are_up());
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("abandoned"));
  EXPECT_THAT(run({"show", "r2"}).out, Not(HasSubstr("abandoned")));
  second.signal(SIGKILL);
  second.wait();
}

TEST_F(killed_among_agents_test, what_outlived_its_keepers_is_ended_before_the_run_goes_on) {
  auto running = start({"run", "slow.toml", "--run-id", "r1"});
  ASSERT_TRUE(all_are_up());
  const auto custodians = children_of(running.pid());
  ASSERT_EQ(custodians.size(), 1U);
  auto guards = children_of(custodians[0]);
  guards.push_back(custodians[0]);
  ASSERT_EQ(guards.size(), 4U);
  for (const auto guard : guards) {
    ::kill(guard, SIGSTOP);
  }
  running.signal(SIGKILL);
  for (const auto guard : guards) {
    ::kill(guard, SIGKILL);
  }
  ASSERT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 6; })) << "the agents die with their keepers";

  // A run of the same name that lives, in another database, has nothing to fear.
  const auto others = new_mark();
  write("other.toml", "[agents.x]\n" + scripted({"mark", others, "detach", "hang", "--", "print", "up\n", "hang"}));
  write("one.toml", "name = 'one'\n[[step]]\nid = 'ask'\nagent = 'x'\n");
  auto other = start({"run", "one.toml", "--run-id", "r1", "--config", "other.toml", "--db", path("other.db")});
  ASSERT_TRUE(becomes_true([&] { return processes_marked(others).size() == 2; }));

  auto next = start({"resume", "r1"});
  ASSERT_TRUE(next.wait_for("6 processes that a dead owner had left were killed"));
  ASSERT_TRUE(all_are_up());  // anew
  EXPECT_EQ(processes_marked(others).size(), 2U);
  next.signal(SIGKILL);
  next.wait();
  other.signal(SIGKILL);
  other.wait();
}

// A run of 15 tasks, killed at instants that the seed chooses, again and again, until it is over: what it comes to is
// what an undisturbed one comes to, and no committed task was executed again.
class killed_again_and_again_test : public killed_run_test, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    std::string steps;
    for (int i = 1; i <= 5; ++i) {
      const auto number = std::to_string(i);
      const auto next = i < 5 ? "next = 's" + std::to_string(i + 1) + "'\n" : "";
      steps += "[[step]]\nid = 's" + number + "'\nagents = ['a', 'b', 'c']\noutput = 'all'\nprompt = '" + number +
               "'\n" + next + "[step.consensus]\nstrategy = 'collect'\n";
    }
    write("chain.toml", "name = 'chain'\n[state.all]\nreduce = 'append'\n" + steps);
    std::string agents;
    for (const auto* name : {"a", "b", "c"}) {
      agents += "[agents." + std::string{name} + "]\n" + scripted({"work", "10", "cat"});
    }
    write("troupe.toml", agents);
  }
};

TEST_P(killed_again_and_again_test, comes_to_what_an_undisturbed_run_comes_to) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const auto whole = json_of(run({"run", "chain.toml", "--run-id", "whole", "--json"}).out);
  ASSERT_EQ(at(whole, "/state"), "completed");
  int killed = 0;
  for (int i = 0; i < 200; ++i) {
    auto running = start({"run", "chain.toml", "--run-id", "r1", "--json"});
    const auto pause = std::chrono::microseconds{1'000 + random() % 30'000};
    const auto stop = std::chrono::steady_clock::now() + pause;  // the instant is the point: nothing is waited for
    std::this_thread::sleep_until(stop);
    running.signal(SIGKILL);
    const auto ended = running.wait();
    if (ended.code == 0) {
      break;
    }
    ASSERT_EQ(ended.code, 128 + SIGKILL) << ended.err;
    ++killed;
    if (i % 4 == 0) {
      expect_intact();
    }
  }
  EXPECT_GE(killed, 3);
  RecordProperty("killed", killed);
  const auto done = json_of(run({"run", "chain.toml", "--run-id", "r1", "--json"}).out);
  EXPECT_EQ(at(done, "/state"), "completed");
  EXPECT_EQ(at(done, "/state_hash"), at(whole, "/state_hash"));
  EXPECT_EQ(at(done, "/result"), at(whole, "/result"));
  expect_intact();
  const auto events = json_lines_of(run({"logs", "r1", "--json"}).out);
  std::map<std::string, int> completed;
  std::int64_t last = 0;
  for (const auto& event : events) {
    EXPECT_EQ(std::stoll(at(event, "/seq")), ++last);
    if (at(event, "/kind") == "task.completed") {
      ++completed[at(event, "/task")];
    }
  }
  EXPECT_EQ(completed.size(), 15U);
  for (const auto& [task, times] : completed) {
    EXPECT_EQ(times, 1) << task;
  }
}

INSTANTIATE_TEST_SUITE_P(by_seed, killed_again_and_again_test, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace troupe
