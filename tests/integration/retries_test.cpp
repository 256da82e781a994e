// Retries through the command line: what waits for another attempt outlives the process.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

namespace troupe {
namespace {

using testing::HasSubstr;

class retries_test : public cli_fixture {
 protected:
  std::string logs() const { return run({"logs", "r1"}).out; }

  bool has_told(const std::string& what) const {
    return becomes_true([&] { return logs().find(what) != std::string::npos; }, std::chrono::milliseconds{10'000});
  }
};

TEST_F(retries_test, a_retry_outlives_the_process_that_waits_for_it) {
  write("troupe.toml", "[agents.a]\n" + scripted({"complain", "no", "exit", "3"}));
  write("flow.toml",
        "name = 'flow'\n[[step]]\nid = 's'\nagent = 'a'\nprompt = 'x'\n"
        "retry = { max_attempts = 2, initial = '1s', jitter = 0 }\n");
  auto first = start({"run", "flow.toml", "--run-id", "r1"});
  ASSERT_TRUE(has_told("task.retrying"));
  first.signal(SIGKILL);
  first.wait();
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("retrying"));
  EXPECT_EQ(run({"resume", "r1"}).code, 1);
  EXPECT_THAT(logs(), HasSubstr("attempt 2, MAX_ATTEMPTS_EXCEEDED: 2 attempts failed, at last AGENT_EXIT"));
  EXPECT_THAT(run({"db", "check"}).out, HasSubstr("intact"));
}

TEST_F(retries_test, a_permanent_failure_is_told_at_once) {
  write("troupe.toml", "[agents.a]\ncommand = ['no-such-program']\n");
  write(
      "flow.toml",
      "name = 'flow'\n[[step]]\nid = 's'\nagent = 'a'\nprompt = 'x'\nretry = { max_attempts = 9, initial = '1m', max = "
      "'1m' }\n");
  EXPECT_EQ(run({"run", "flow.toml", "--run-id", "r1"}).code, 1);
  EXPECT_EQ(logs().find("task.retrying"), std::string::npos);
  EXPECT_THAT(logs(), HasSubstr("AGENT_NOT_FOUND"));
}

}  // namespace
}  // namespace troupe
