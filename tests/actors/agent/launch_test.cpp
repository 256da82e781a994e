#include "actors/agent/launch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace troupe {
namespace {

attempt_order order(prompt_channel channel, std::string prompt = "Do it.") {
  attempt_order made;
  made.run = run_id{"r-1"};
  made.subject = "river";
  made.task = {task_id{"r-1/2/plan/claude"}, superstep_no{2}, step_id{"plan"}, agent_name{"claude"}, 0};
  made.attempt = attempt_no{3};
  made.spec.name = agent_name{"claude"};
  made.spec.command = {"claude", "-p"};
  made.spec.prompt = channel;
  made.spec.working_directory = "/work";
  made.spec.output_limit = 1000;
  made.prompt = std::move(prompt);
  return made;
}

const std::map<std::string, std::string> host{{"HOME", "/home/x"}, {"PATH", "/bin"}, {"SECRET", "s"}, {"EMPTY", ""}};

TEST(launch_test, a_prompt_for_stdin_is_its_input) {
  const auto request = launch_request(order(prompt_channel::standard_input, std::string("a\0b", 3)), host, "");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->argv, (std::vector<std::string>{"claude", "-p"}));
  ASSERT_NE(request->standard_input, nullptr);
  EXPECT_EQ(*request->standard_input, std::string("a\0b", 3));
  EXPECT_EQ(request->working_directory, "/work");
  EXPECT_EQ(request->output_limit, 1000U);
  EXPECT_EQ(request->key, "r-1/2/plan/claude");
}

TEST(launch_test, a_prompt_as_an_argument_is_the_last_one) {
  const auto request = launch_request(order(prompt_channel::argument, "-x; rm $HOME"), host, "");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->argv, (std::vector<std::string>{"claude", "-p", "-x; rm $HOME"}));
  EXPECT_EQ(request->standard_input, nullptr);
}

TEST(launch_test, a_prompt_in_a_file_is_its_path) {
  const auto request = launch_request(order(prompt_channel::file), host, "/run/p-1");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->argv, (std::vector<std::string>{"claude", "-p", "/run/p-1"}));
  EXPECT_EQ(request->standard_input, nullptr);
  EXPECT_EQ(request->environment.front(), "TROUPE_ATTEMPT=3");
  EXPECT_EQ(request->environment[2], "TROUPE_PROMPT_FILE=/run/p-1");
}

TEST(launch_test, an_agent_is_told_the_database_that_its_host_names) {
  auto of_node = host;
  of_node[database_variable] = "/state/troupe.db";
  auto asked = order(prompt_channel::standard_input);
  asked.spec.environment = {{"TROUPE_DATABASE", "other"}};
  EXPECT_THAT(launch_request(asked, of_node, "")->environment, ::testing::Contains("TROUPE_DATABASE=/state/troupe.db"));
}

TEST(launch_test, the_environment_is_what_is_declared_and_nothing_else) {
  auto asked = order(prompt_channel::standard_input);
  asked.spec.environment = {{"NO_COLOR", "1"}, {"PATH", "/opt/bin"}, {"TROUPE_RUN_ID", "other"}};
  asked.spec.pass_environment = {"HOME", "PATH", "EMPTY", "ABSENT"};
  const auto request = launch_request(asked, host, "");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->environment,
            (std::vector<std::string>{"EMPTY=",
                                      "HOME=/home/x",
                                      "NO_COLOR=1",
                                      "PATH=/opt/bin",
                                      "TROUPE_ATTEMPT=3",
                                      "TROUPE_IDEMPOTENCY_KEY=" + idempotency_key(asked.task.id),
                                      "TROUPE_RUN_ID=r-1",
                                      "TROUPE_STEP_ID=plan",
                                      "TROUPE_SUBJECT=river"}));
}

TEST(launch_test, an_argument_has_a_limit_and_says_what_to_do) {
  EXPECT_TRUE(launch_request(order(prompt_channel::argument, std::string(131'071, 'x')), host, "").has_value());
  const auto refused = launch_request(order(prompt_channel::argument, std::string(131'072, 'x')), host, "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, error_code::invalid_input);
  EXPECT_EQ(refused.error().message,
            "the prompt of step 'plan' for agent 'claude' has 131072 bytes; the system takes arguments below 131072");
  EXPECT_EQ(refused.error().hint, "set prompt = \"stdin\" or \"file\" for this agent");
  std::string large;
  large.resize(50'000'000, 'x');
  EXPECT_TRUE(launch_request(order(prompt_channel::standard_input, large), host, "").has_value());
  EXPECT_TRUE(launch_request(order(prompt_channel::file, large), host, "/p").has_value());
}

// The system would end the text there: the agent would get half of it, in silence.
TEST(launch_test, a_nul_is_refused_where_the_system_would_cut_the_text) {
  const std::string nul("a\0b", 3);
  const auto prompt = launch_request(order(prompt_channel::argument, nul), host, "");
  ASSERT_FALSE(prompt.has_value());
  EXPECT_NE(prompt.error().message.find("NUL"), std::string::npos);

  auto subject = order(prompt_channel::standard_input);
  subject.subject = nul;
  EXPECT_FALSE(launch_request(subject, host, "").has_value());
  auto value = order(prompt_channel::standard_input);
  value.spec.environment = {{"X", nul}};
  ASSERT_FALSE(launch_request(value, host, "").has_value());
  EXPECT_NE(launch_request(value, host, "").error().message.find("'X'"), std::string::npos);
  auto command = order(prompt_channel::standard_input);
  command.spec.command.push_back(nul);
  EXPECT_FALSE(launch_request(command, host, "").has_value());
}

// Frozen: an agent that keeps it outside must know a task again after an upgrade.
TEST(launch_test, the_idempotency_key_is_of_the_task_and_not_of_the_attempt) {
  EXPECT_EQ(idempotency_key(task_id{"r-1/2/plan/claude"}), "cb0d0f8e077fd4e9cb727a4394b5263b");
  auto first = order(prompt_channel::standard_input);
  first.attempt = attempt_no{1};
  const auto keys = [](const attempt_order& of) {
    std::string key;
    const auto request = launch_request(of, host, "");
    for (const auto& variable : request->environment) {
      key += variable.starts_with("TROUPE_IDEMPOTENCY_KEY=") ? variable : "";
    }
    return key;
  };
  EXPECT_EQ(keys(first), keys(order(prompt_channel::standard_input)));
  EXPECT_NE(idempotency_key(task_id{"r-1/2/plan/claude"}), idempotency_key(task_id{"r-1/3/plan/claude"}));
}

}  // namespace
}  // namespace troupe
