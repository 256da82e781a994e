// TROUPE_FAULTS through the real program.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class faults_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("ask.toml", "name = 'ask'\n[[step]]\nid = 'ask'\nagent = 'cat'\nprompt = 'hello'\n");
    write("troupe.toml", "[agents.cat]\n" + scripted({"cat"}));
  }

  static variables ordered(const std::string& text) { return {{"TROUPE_FAULTS", text}}; }
};

TEST_F(faults_test, an_attempt_fails_and_its_row_says_by_whom) {
  const auto failed = run({"run", "ask.toml", "--run-id", "r1"}, ordered("agent.401:1"));
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err,
              AllOf(HasSubstr("failures are injected by TROUPE_FAULTS: agent.401: 0 of 1"),
                    HasSubstr("injected by TROUPE_FAULTS: agent.401: 1 of 1")));
  const auto tasks = tasks_of("r1");
  ASSERT_EQ(tasks.size(), 1U);
  ASSERT_TRUE(tasks[0].why);
  EXPECT_EQ(tasks[0].why->code, error_code::auth_required);
  EXPECT_THAT(tasks[0].why->message, HasSubstr("injected by TROUPE_FAULTS (agent.401: 1 of 1)"));
  EXPECT_EQ(run({"run", "ask.toml"}).code, 0) << "it is of that process alone";
}

TEST_F(faults_test, commits_fail_and_are_told_again) {
  for (const char* name : {"storage.busy:3", "storage.io:2"}) {
    const auto done = run({"run", "ask.toml", "--json"}, ordered(name));
    EXPECT_EQ(done.code, 0) << name << done.err;
    EXPECT_EQ(at(json_of(done.out), "/result/ask"), "hello");
    EXPECT_THAT(done.err, HasSubstr("a commit failed: ")) << name;
    EXPECT_EQ(run({"db", "check"}).code, 0);
  }
}

TEST_F(faults_test, commits_are_tried_as_often_as_the_configuration_says) {
  const words once{"run", "ask.toml", "--set", "retry.storage.max_attempts=1"};
  const auto refused = run(once, ordered("storage.busy:1"));
  EXPECT_EQ(refused.code, 7);
  EXPECT_THAT(refused.err, HasSubstr("injected by TROUPE_FAULTS (storage.busy: 1 of 1)"));
  EXPECT_EQ(run(once).code, 0) << "nothing is in the way any more";
  const words twice{"run", "ask.toml", "--set", "retry.storage.max_attempts=2"};
  EXPECT_EQ(run(twice, ordered("storage.busy:1")).code, 0);
  EXPECT_EQ(run(twice, ordered("storage.busy:2")).code, 7);
}

TEST_F(faults_test, a_disk_that_is_full_for_good_stops_the_run) {
  const auto stopped = run({"run", "ask.toml", "--run-id", "r1"}, ordered("storage.full:100%"));
  EXPECT_EQ(stopped.code, 7);
  EXPECT_THAT(stopped.err, HasSubstr("injected by TROUPE_FAULTS"));
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

TEST_F(faults_test, what_is_no_plan_is_refused_before_anything_runs) {
  const auto refused = run({"run", "ask.toml"}, ordered("agent.timeuot:2"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("there is no fault 'agent.timeuot'"), HasSubstr("known: agent.timeout")));
  EXPECT_FALSE(std::filesystem::exists(database_path()));
  const auto json = json_of(run({"run", "ask.toml", "--json"}, ordered("agent.429:0")).out);
  EXPECT_EQ(at(json, "/error/code"), "INVALID_INPUT");
}

TEST_F(faults_test, doctor_shows_what_is_armed) {
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("none are injected"));
  const auto armed = run({"doctor", "--json"}, ordered("agent.timeout:2,agent.exit:10%,seed=7"));
  EXPECT_EQ(armed.code, 0);
  EXPECT_THAT(armed.out, HasSubstr("agent.timeout: 0 of 2; agent.exit: 10 %, 0 so far"));
  const auto wrong = run({"doctor"}, ordered("agent"));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.out, HasSubstr("there is no fault 'agent'"));
  EXPECT_THAT(run({"config", "check"}, ordered("agent.429")).err, Not(HasSubstr("TROUPE_FAULTS")));
}

}  // namespace
}  // namespace troupe
