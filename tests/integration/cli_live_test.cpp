// Looking into a process that carries out a run, from another one.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>
#include <filesystem>

namespace troupe {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class cli_live_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("held.toml", R"(
name = "held"
[[step]]
id = "wait"
agent = "held"
)");
    write("troupe.toml", "[log]\nfile = 'node.log'\nformat = 'json'\n[agents.held]\n" + held_.command());
  }

  /// A run whose step has started, and waits.
  cli_process start_held() const { return start({"run", "held.toml", "--run-id", "r1"}); }

  void finish(cli_process& running) const {
    held_.let_go();
    EXPECT_EQ(running.wait().code, 0);
  }

  std::string socket_path() const { return database_path() + ".control"; }

  latch held_{path("latch")};
};

TEST_F(cli_live_test, the_tree_of_a_run_is_shown_with_its_agents) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto shown = run({"show", "r1", "--tree"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("run r1"),
                    ContainsRegex("  agent r1/1/wait/held +running +0 +0 .*attempt 1, pid [0-9]+"),
                    Not(HasSubstr("database_writer"))));
  const auto as_json = json_of(run({"show", "last", "--tree", "--json"}).out);
  EXPECT_EQ(at(as_json, "/name"), "run r1");
  EXPECT_EQ(at(as_json, "/children/0/step"), "wait");
  EXPECT_EQ(at(as_json, "/children/0/attempt"), "1");
  EXPECT_EQ(state_of(std::stoi(at(as_json, "/children/0/pid"))).first, 'S');
  finish(running);
  const auto over = run({"show", "r1", "--tree"});
  EXPECT_EQ(over.code, 2);
  EXPECT_THAT(over.err, AllOf(HasSubstr("no process carries out runs"), HasSubstr("hint:")));
}

TEST_F(cli_live_test, all_actors_of_the_process_are_shown_by_level) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto shown = run({"doctor", "--actors"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.err, HasSubstr("process " + std::to_string(running.pid())));
  EXPECT_THAT(shown.out,
              AllOf(ContainsRegex("(^|\n)database_writer +running"),
                    ContainsRegex("\nrun_supervisor +running"),
                    ContainsRegex("\n  run r1 +running"),
                    ContainsRegex("\n    agent r1/1/wait/held +running"),
                    ContainsRegex("\n  vacuum +running")));
  const auto as_json = json_of(run({"doctor", "--actors", "--json"}).out);
  EXPECT_EQ(at(as_json, "/pid"), std::to_string(running.pid()));
  EXPECT_EQ(at(as_json, "/children/0/name"), "database_writer");
  EXPECT_EQ(at(as_json, "/children/0/answers"), "true");
  EXPECT_THAT(run({"doctor"}).out, ContainsRegex("ok +running process +its [0-9]+ lasting actors answer"));
  finish(running);
  EXPECT_THAT(run({"doctor"}).out, Not(HasSubstr("running process")));
}

TEST_F(cli_live_test, limits_and_waits_of_a_run_are_shown) {
  write("limited.toml", R"(
name = "limited"
[[step]]
id = "ask"
agents = ["held", "bad"]
prompt = "x"
retry = { max_attempts = 3, initial = "1m", max = "1m", jitter = 0 }
)");
  write("troupe.toml",
        "[providers.shared]\nmax_concurrent = 4\nrequests_per_day = 9\n[agents.held]\nprovider = 'shared'\n" +
            held_.command() + "[agents.bad]\nprovider = 'shared'\n" + scripted({"exit", "3"}));
  auto running = start({"run", "limited.toml", "--run-id", "r1"}, {{"TROUPE_FAULTS", "storage.busy:2"}});
  ASSERT_TRUE(running.wait_for("again in"));
  const auto shown = run({"doctor", "--limits"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.err, HasSubstr("process " + std::to_string(running.pid())));
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("attempts  1 of 1024 run, 0 wait\n"),
                    HasSubstr("retries   0 of 3 run; begun so far: 0 retryable, 0 unknown, 0 degraded, 0 permanent\n"),
                    ContainsRegex("\nshared +1 +0 +4 .* 2 of 9 +0 +closed\n"),
                    ContainsRegex("\n[-0-9]* ?[:0-9]+ +[56][0-9]\\.[0-9]s +r1 +r1/1/ask/bad\n")));
  const auto as_json = json_of(run({"doctor", "--limits", "--json"}).out);
  EXPECT_EQ(at(as_json, "/pid"), std::to_string(running.pid()));
  EXPECT_EQ(at(as_json, "/providers/0/requests_per_day/used"), "2");
  EXPECT_EQ(at(as_json, "/retries/begun/permanent"), "0");
  EXPECT_EQ(at(as_json, "/waits/next/0/key"), "r1/1/ask/bad");
  EXPECT_THAT(run({"doctor"}).out, ContainsRegex("warn running faults +storage.busy: 2 of 2\n"));
  running.signal(SIGKILL);
  running.wait();
  EXPECT_THAT(run({"doctor"}).out, Not(HasSubstr("running faults")));
}

TEST_F(cli_live_test, without_a_process_it_says_so_and_what_to_do) {
  const auto nobody = run({"doctor", "--actors"});
  EXPECT_EQ(nobody.code, 2);
  EXPECT_THAT(nobody.err, AllOf(HasSubstr("no process carries out runs"), HasSubstr("troupe resume --all")));
  EXPECT_EQ(at(json_of(run({"doctor", "--actors", "--json"}).out), "/error/code"), "NOT_FOUND");
  const auto no_limits = run({"doctor", "--limits"});
  EXPECT_EQ(no_limits.code, 2);
  EXPECT_THAT(no_limits.err, HasSubstr("no process carries out runs"));
  EXPECT_EQ(at(json_of(run({"doctor", "--limits", "--json"}).out), "/error/code"), "NOT_FOUND");
  EXPECT_EQ(run({"doctor", "--limits", "--actors"}).code, 2);
  EXPECT_EQ(run({"doctor", "--log-level", "debug"}).code, 2);
  EXPECT_EQ(run({"doctor", "--log-level", "loud"}).code, 2);
}

TEST_F(cli_live_test, the_level_of_the_log_changes_while_the_process_runs) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  EXPECT_THAT(file_text(path("node.log")), Not(HasSubstr("\"debug\"")));
  const auto changed = run({"doctor", "--log-level", "debug"});
  EXPECT_EQ(changed.code, 0) << changed.err;
  EXPECT_THAT(changed.err, HasSubstr("debug"));
  EXPECT_EQ(at(json_of(run({"doctor", "--log-level", "debug", "--json"}).out), "/level"), "debug");
  finish(running);
  EXPECT_THAT(file_text(path("node.log")), HasSubstr("\"debug\"")) << "the readers tell of themselves at the end";
}

TEST_F(cli_live_test, the_door_is_its_owners_and_goes_with_the_process) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  struct stat found {};
  ASSERT_EQ(::stat(socket_path().c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  finish(running);
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(cli_live_test, a_door_that_a_killed_process_left_is_nobody_and_the_next_one_replaces_it) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGKILL);
  running.wait();
  EXPECT_TRUE(std::filesystem::exists(socket_path()));
  EXPECT_EQ(run({"doctor", "--actors"}).code, 2);
  auto resumed = start({"resume", "r1"});
  ASSERT_TRUE(resumed.wait_for("attempt 2"));
  EXPECT_EQ(run({"doctor", "--actors"}).code, 0);
  held_.let_go();
  EXPECT_EQ(resumed.wait().code, 0);
}

TEST_F(cli_live_test, a_process_that_is_stopped_does_not_answer_and_that_is_said) {
  auto running = start_held();
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGSTOP);
  ASSERT_TRUE(becomes_true([&] { return state_of(running.pid()).first == 'T'; }));
  const auto silent = run({"doctor", "--actors"});
  EXPECT_EQ(silent.code, 7);
  EXPECT_THAT(silent.err, AllOf(HasSubstr("no answer"), HasSubstr("hint:")));
  running.signal(SIGCONT);
  finish(running);
}

}  // namespace
}  // namespace troupe
