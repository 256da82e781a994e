// --record and --playback through the real program.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/model_server.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class cassettes_test : public cli_fixture {
 protected:
  // Answers differ from call to call: the bytes of a file that each call makes longer.
  void SetUp() override {
    write("troupe.toml",
          "[agents.a]\ncommand = ['./agent', 'a']\npass_env = ['AGENT_KEY']\n[agents.b]\ncommand = ['./agent', 'b']\n");
    write("agent", "#!/bin/sh\necho x >> calls\nmv fail failed 2>&- && { echo no >&2; exit 3; }\nwc -l < calls\n");
    std::filesystem::permissions(path("agent"), std::filesystem::perms::owner_all);
    write("calls", "");
    write("loop.toml", R"(
name = "loop"
[state.turns]
initial = 0
reduce = "sum"
[state.said]
initial = []
reduce = "append"
[[step]]
id = "count"
function = "probe.add"
args = { field = "turns", value = 1 }
next = "ask"
[[step]]
id = "ask"
agents = ["a", "b"]
prompt = "the same each time"
output = "said"
retry = { max_attempts = 3, initial = "1ms", max = "1ms" }
next = [ { to = "end", when = { path = "/turns", ge = 3 } }, { to = "count" } ]
[step.consensus]
strategy = "collect"
[[step]]
id = "end"
function = "probe.set"
args = { field = "ended", value = true }
)");
  }

  std::size_t calls() const { return file_text(path("calls")).size(); }

  cli_result run_loop(const words& more, const variables& environment = {}) const {
    words all{"run", "loop.toml", "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, environment);
  }

  std::string whole_folder() const {
    std::string all;
    for (const auto& each : std::filesystem::directory_iterator{path("tape")}) {
      all += file_text(each.path());
    }
    return all;
  }
};

TEST_F(cassettes_test, what_was_recorded_is_played_without_any_process_whatever_the_parallelism) {
  write("fail", "");
  const auto recorded = run_loop({"--record", "tape"}, {{"AGENT_KEY", "a-secret-of-the-environment"}});
  ASSERT_EQ(recorded.code, 0) << recorded.err;
  EXPECT_EQ(calls(), 14U) << "three times two, and one that failed";
  EXPECT_THAT(whole_folder(), AllOf(HasSubstr("the same each time"), Not(HasSubstr("a-secret"))));
  std::filesystem::remove(path("agent"));
  const auto hash = at(json_of(recorded.out), "/state_hash");
  for (const auto* workers : {"1", "2", "8"}) {
    const auto played =
        run_loop({"--playback", "tape", "--set", "runtime.workers=" + std::string{workers}, "--run-id", workers});
    ASSERT_EQ(played.code, 0) << played.err;
    EXPECT_EQ(at(json_of(played.out), "/state_hash"), hash) << workers;
    std::int64_t attempts = 0;
    for (const auto& task : tasks_of(workers)) {
      attempts += task.step == step_id{"ask"} ? task.attempt.value() : 0;
    }
    EXPECT_EQ(attempts, 7) << "the failure was played, too";
  }
  EXPECT_EQ(calls(), 14U);
}

TEST_F(cassettes_test, a_miss_fails_at_once_and_says_what_comes_nearest) {
  ASSERT_EQ(run_loop({"--record", "tape"}).code, 0);
  auto text = file_text(path("loop.toml"));
  text.replace(text.find("the same each time"), 8, "another ");
  write("loop.toml", text);
  const auto missed = run_loop({"--playback", "tape", "--run-id", "r1"});
  EXPECT_EQ(missed.code, 1);
  const auto tasks = tasks_of("r1");
  const auto failed = tasks.back();
  ASSERT_TRUE(failed.why);
  EXPECT_EQ(failed.why->code, error_code::not_found);
  EXPECT_EQ(failed.attempt, attempt_no{1}) << "it is not tried again";
  EXPECT_THAT(failed.why->message,
              HasSubstr("line 1 of the prompt differs: recorded 'the same each time', asked 'another  each time'"));
}

TEST_F(cassettes_test, of_a_race_the_same_one_wins) {
  write("troupe.toml",
        "[agents.quick]\ncommand = ['/bin/sh', '-c', 'sleep 0.05; echo quick']\n"
        "[agents.slow]\ncommand = ['/bin/sh', '-c', 'sleep 60; echo slow']\n");
  write("race.toml",
        "name = 'race'\n[[step]]\nid = 'ask'\nagents = ['slow', 'quick']\nprompt = 'x'\n"
        "[step.consensus]\nstrategy = 'race'\n");
  const auto recorded = run({"run", "race.toml", "--record", "tape", "--json"});
  ASSERT_EQ(recorded.code, 0) << recorded.err;
  const auto played = run({"run", "race.toml", "--playback", "tape", "--run-id", "r1", "--json"});
  ASSERT_EQ(played.code, 0) << played.err;
  EXPECT_EQ(at(json_of(played.out), "/state_hash"), at(json_of(recorded.out), "/state_hash"));
  EXPECT_EQ(tasks_of("r1")[0].state, task_state::cancelled);
}

TEST_F(cassettes_test, who_lost_a_race_fails_at_once_where_there_is_none_any_more) {
  write("troupe.toml",
        "[agents.quick]\ncommand = ['/bin/sh', '-c', 'echo quick']\n"
        "[agents.slow]\ncommand = ['/bin/sh', '-c', 'sleep 60; echo slow']\n");
  const std::string race =
      "name = 'race'\n[[step]]\nid = 'ask'\nagents = ['slow', 'quick']\nprompt = 'x'\n"
      "[step.consensus]\nstrategy = 'race'\n";
  write("race.toml", race);
  ASSERT_EQ(run({"run", "race.toml", "--record", "tape"}).code, 0);
  write("all.toml", race.substr(0, race.find("[step.consensus]")) + "[step.consensus]\nstrategy = 'collect'\n");
  const auto played = run({"run", "all.toml", "--playback", "tape", "--run-id", "r1"});
  EXPECT_EQ(played.code, 1) << "one of two is no quorum";
  const auto slow = tasks_of("r1").at(0);
  ASSERT_TRUE(slow.why);
  EXPECT_EQ(slow.why->code, error_code::not_found);
  EXPECT_THAT(slow.why->message, HasSubstr("lost a race"));
}

TEST_F(cassettes_test, answers_over_http_are_played_without_the_server_and_hold_no_key) {
  write("one.toml", "name = 'one'\n[[step]]\nid = 'ask'\nagent = 'local'\nprompt = 'What?'\n");
  std::string hash;
  {
    const model_server server{stream_answer({"forty", "-two"})};
    write("troupe.toml",
          "[agents.local]\nkind = 'http'\nendpoint = '" + server.endpoint() +
              "'\nmodel = 'm'\napi_key_env = 'MODEL_KEY'\n");
    const auto recorded =
        run({"run", "one.toml", "--record", "tape", "--json"}, {{"MODEL_KEY", "sk-a-key-that-must-not-be-seen"}});
    ASSERT_EQ(recorded.code, 0) << recorded.err;
    hash = at(json_of(recorded.out), "/state_hash");
  }
  EXPECT_THAT(whole_folder(), AllOf(HasSubstr("What?"), Not(HasSubstr("sk-a-key"))));
  const auto played = run({"run", "one.toml", "--playback", "tape", "--json"});
  ASSERT_EQ(played.code, 0) << played.err;
  EXPECT_EQ(at(json_of(played.out), "/state_hash"), hash);
  EXPECT_EQ(at(json_of(played.out), "/usage/input_tokens"), "0") << "they were used when it was recorded";
}

TEST_F(cassettes_test, wrong_folders_and_both_at_once_are_refused_before_anything_runs) {
  EXPECT_EQ(run_loop({"--record", "tape", "--playback", "tape"}).code, 2);
  const auto missing = run_loop({"--playback", "nowhere"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.out + missing.err, HasSubstr("nowhere"));
  EXPECT_EQ(run_loop({"--record", "calls"}).code, 2) << "a file";
  EXPECT_EQ(calls(), 0U);
}

}  // namespace
}  // namespace troupe
