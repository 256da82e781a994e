// A run whose answers are played goes on being played, and costs nothing.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_playback_test : public cli_fixture {
 protected:
  /// One agent before the gate and one behind it; each call of it is counted.
  void SetUp() override {
    write("troupe.toml", R"(
[agents.a]
command = ['./agent']
model = 'm'
[prices.m]
input = 1000
output = 1000
)");
    write("agent", "#!/bin/sh\necho x >> calls\necho said\n");
    std::filesystem::permissions(path("agent"), std::filesystem::perms::owner_all);
    write("calls", "");
    write("p.toml", R"(
name = "p"
[limits]
budget_usd = 1000.0
[[step]]
id = "before"
agent = "a"
prompt = "one"
next = "ask"
[[step]]
id = "ask"
gate = { prompt = "Go on?" }
next = "behind"
[[step]]
id = "behind"
agent = "a"
prompt = "two"
)");
    EXPECT_EQ(run({"run", "p.toml", "--run-id", "recorded", "--record", "tape"}).code, 4);
    EXPECT_EQ(run({"approve", "recorded", "ask"}).code, 0);
    EXPECT_EQ(run({"run", "p.toml", "--run-id", "recorded", "--record", "tape"}).code, 0);
    EXPECT_EQ(calls(), 2U);
    EXPECT_EQ(run({"run", "p.toml", "--run-id", "r1", "--playback", "tape"}).code, 4);
    EXPECT_EQ(run({"approve", "r1", "ask"}).code, 0);
  }

  std::size_t calls() const { return file_text(path("calls")).size() / 2; }
};

TEST_F(cli_playback_test, what_the_hint_says_goes_on_with_playing) {
  const auto resumed = run({"resume", "r1"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, AllOf(HasSubstr("no agent is asked"), HasSubstr(path("tape"))));
  EXPECT_EQ(calls(), 2U);
  EXPECT_EQ(at(json_of(run({"show", "r1", "--json"}).out), "/result/behind"), "said");
}

TEST_F(cli_playback_test, from_another_folder_too_and_so_does_run_with_the_same_id) {
  const auto again = run({"run", "p.toml", "--run-id", "r1"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(calls(), 2U);
}

TEST_F(cli_playback_test, a_fork_of_it_is_played_as_well) {
  ASSERT_EQ(run({"resume", "r1"}).code, 0);
  EXPECT_EQ(run({"fork", "r1", "--at", "0", "--run-id", "f1"}).code, 4);
  EXPECT_EQ(calls(), 2U);
}

TEST_F(cli_playback_test, without_its_folder_it_is_refused_and_nobody_is_asked) {
  std::filesystem::rename(path("tape"), path("moved"));
  const auto refused = run({"resume", "r1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(
      refused.err,
      AllOf(HasSubstr("was begun with --playback"), HasSubstr("troupe run WORKFLOW --run-id r1 --playback DIR")));
  EXPECT_EQ(run({"run", "p.toml", "--run-id", "r1", "--playback", "moved"}).code, 0);
  EXPECT_EQ(calls(), 2U);
}

TEST_F(cli_playback_test, one_that_was_not_played_asks_as_ever) {
  EXPECT_EQ(run({"run", "p.toml", "--run-id", "r2"}).code, 4);
  EXPECT_EQ(run({"approve", "r2", "ask"}).code, 0);
  EXPECT_EQ(run({"resume", "r2"}).code, 0);
  EXPECT_EQ(calls(), 4U);
}

TEST_F(cli_playback_test, played_answers_cost_nothing_and_use_no_budget_up) {
  ASSERT_EQ(run({"resume", "r1"}).code, 0);
  EXPECT_GT(run_of("recorded").cost_microusd, 0);
  EXPECT_EQ(run_of("r1").cost_microusd, 0);
  EXPECT_EQ(run_of("r1").output_tokens, 0);
  EXPECT_THAT(run({"logs", "r1"}).out, Not(HasSubstr("cost.recorded")));
  EXPECT_THAT(run({"logs", "recorded"}).out, HasSubstr("cost.recorded"));
}

}  // namespace
}  // namespace troupe
