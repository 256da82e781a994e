// Retries of whole nodes: what waits for another attempt outlives the process, and keeps nobody who does not want it.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/model_server.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

class backoff_test : public node_fixture {};

// RT-1. The best of several: what else the machine does is not ours.
TEST_F(backoff_test, is_cancelled_within_ten_milliseconds) {
  const function_table busy{{"busy", [](const function_request&) -> result<function_reply> {
                               return error{error_code::task_timeout, "not now", ""};
                             }}};
  const auto node = start_node("[storage]\ndurability = \"normal\"\n", busy);
  submission what;
  what.flow = flow(
      "name = 'flow'\n[[step]]\nid = 's'\nfunction = 'busy'\n"
      "retry = { max_attempts = 3, initial = '30s', max = '30s', jitter = 0 }\n");
  auto best = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    const auto run = node->submit(what);
    ASSERT_TRUE(run.has_value());
    run_recorder told;
    node->subscribe(run->run, event_seq{0}, told.listener());
    ASSERT_TRUE(told.wait_for(event_kind::task_retrying));
    const auto asked = std::chrono::steady_clock::now();
    node->cancel(run->run, false);
    ASSERT_TRUE(told.wait_for_end());
    best = std::min(best, std::chrono::steady_clock::now() - asked);
    EXPECT_EQ(told.kinds().back(), "run.cancelled");
  }
  EXPECT_LT(best, std::chrono::milliseconds{10});
}

// Retry-After of one agent's answer holds for all who ask the same provider; two minutes are too long to wait for.
TEST_F(backoff_test, what_a_provider_says_to_one_pauses_the_run_of_another) {
  const model_server server{{send_bytes{whole_answer(429, fault_body("x", "later"), {{"Retry-After", "120"}})}}};
  const auto agent = " = { kind = 'http', model = 'm', provider = 'shop', endpoint = '" + server.endpoint() + "' }\n";
  const auto node = start_node("[agents]\na" + agent + "b" + agent);
  submission what;
  what.flow =
      flow("name = 'flow'\n[limits]\nmax_concurrent = 1\n[[step]]\nid = 's'\nagents = ['a', 'b']\nprompt = 'x'\n");
  const auto run = node->submit(what);
  ASSERT_TRUE(run.has_value());
  node->subscribe(run->run, event_seq{0}, recorder_.listener());
  ASSERT_TRUE(recorder_.wait_for(event_kind::run_paused));
  const auto view = node->find_run(run->run);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->state, run_state::paused);
  EXPECT_EQ(server.requests().size(), 1U);
}

}  // namespace
}  // namespace troupe
