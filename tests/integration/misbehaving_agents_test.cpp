// Agents that do what agents should not, through the real program: how the run ends, and what is kept of them.
#include "messages/base/json_text.hpp"
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <sstream>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    text[i] = static_cast<char>('a' + i % 26);
  }
  return text;
}

/// As the scripted child's `digest` prints it.
std::string digest_of(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  }
  return std::to_string(bytes.size()) + ' ' + std::to_string(hash);
}

bool is_alive(int pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

std::string sh(const std::string& script) {
  return R"(command = ["/bin/sh", "-c", )" + json_string(script) + ", \"sh\"]\npass_env = [\"PATH\"]\n";
}

struct ended_run {
  int code = -1;
  boost::json::value json;
  output_view output;  ///< Of its one task.
};

class misbehaving_agents_test : public cli_fixture {
 protected:
  /// One step, one agent.
  ended_run run_alone(const std::string& agent, const std::string& prompt = "", const std::string& step = "") const {
    write("alone.toml",
          "name = 'alone'\n[inputs.prompt]\nrequired = true\n[[step]]\nid = 's'\nagent = 'x'\n"
          "prompt = '{{inputs.prompt}}'\n" +
              step);
    write("troupe.toml", "[runtime]\nkill_grace = '100ms'\ndrain_grace = '100ms'\n[agents.x]\n" + agent);
    const std::string id = "r" + std::to_string(++count_);
    const auto done = run({"run", "alone.toml", "--run-id", id, "--json", "--input-file", "-"},
                          {},
                          "{\"prompt\":" + json_string(prompt) + "}");
    ended_run ended{done.code, json_of(done.out), {}};
    const auto outputs = stored()->find_output(run_id{id}, step_id{"s"});
    EXPECT_TRUE(outputs.has_value() && outputs->size() == 1);
    if (outputs && outputs->size() == 1) {
      ended.output = outputs->front();
    }
    return ended;
  }

  mutable int count_ = 0;
};

TEST_F(misbehaving_agents_test, each_failure_has_its_code_and_keeps_what_was_printed) {
  struct failure {
    std::string agent;
    error_code code;
    std::optional<int> exit_code;
    std::optional<int> signal;
    std::string standard_output;
    std::string standard_error;
    std::string words;
    std::string step{};
  };
  const std::string bounded = "output_limit = '64KiB'\n";
  const std::string brief = "timeout = '300ms'\n";
  const auto head = pattern(64U << 10U);
  const std::vector<failure> table{
      {scripted({"print", "half", "complain", "sorry\n", "exit", "3"}),
       error_code::agent_exit,
       3,
       {},
       "half",
       "sorry\n",
       "ended with status 3: sorry"},
      {scripted({"print", "x", "exit", "1"}) + "ok_exit = [0, 2]\n",
       error_code::agent_exit,
       1,
       {},
       "x",
       "",
       "status 1"},
      {scripted({"print", "half", "signal", "11"}), error_code::agent_signal, {}, SIGSEGV, "half", "", "by SIGSEGV"},
      {scripted({"signal", "9"}), error_code::agent_signal, {}, SIGKILL, "", "", "by SIGKILL"},
      {scripted({}), error_code::agent_no_output, 0, {}, "", "", "printed nothing"},
      {scripted({"complain", "no idea\n"}), error_code::agent_no_output, 0, {}, "", "no idea\n", "nothing: no idea"},
      {scripted({"print", "no json"}) + "parse = 'json'\n", error_code::output_invalid, 0, {}, "no json", "", ""},
      {scripted({"flood", "1000000", "hang"}) + bounded, error_code::output_too_large, {}, SIGTERM, head, "", "65536"},
      {scripted({"ignore-term", "flood", "1000000", "hang"}) + bounded,
       error_code::output_too_large,
       {},
       SIGKILL,
       head,
       "",
       "the head is kept"},
      {scripted({"print", "x", "flood-err", "1000000", "hang"}) + bounded,
       error_code::output_too_large,
       {},
       SIGTERM,
       "x",
       head,
       "output_limit"},
      {scripted({"print", "half", "hang"}), error_code::task_timeout, {}, SIGTERM, "half", "", "", brief},
      {scripted({"ignore-term", "print", "half", "hang"}),
       error_code::task_timeout,
       {},
       SIGKILL,
       "half",
       "",
       "",
       brief},
      {scripted({"hang"}) + "first_output = '200ms'\n",
       error_code::task_timeout,
       {},
       SIGTERM,
       "",
       "",
       "printed nothing within 200ms (first_output)"},
      {scripted({"print", "half a word", "fork", "hang", "--", "hang"}) + "idle_timeout = '500ms'\n",
       error_code::task_timeout,
       {},
       SIGTERM,
       "half a word",
       "",
       "printed nothing for 500ms (idle_timeout)"},
  };
  for (const failure& each : table) {
    const auto ended = run_alone(each.agent, "", each.step);
    SCOPED_TRACE(each.agent + at(ended.json, "/error"));
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(at(ended.json, "/state"), "failed");
    EXPECT_EQ(at(ended.json, "/error/code"), to_string(each.code));
    EXPECT_EQ(at(ended.json, "/error/step"), "s");
    EXPECT_THAT(at(ended.json, "/error/message"), HasSubstr(each.words));
    const task_view& task = ended.output.task;
    EXPECT_EQ(task.state, task_state::failed);
    EXPECT_EQ(task.why->code, each.code);
    EXPECT_EQ(task.exit_code, each.exit_code);
    EXPECT_EQ(task.signal, each.signal);
    EXPECT_EQ(ended.output.standard_output, each.standard_output);
    EXPECT_EQ(ended.output.standard_error, each.standard_error);
    EXPECT_FALSE(is_alive(static_cast<int>(task.pid)));
    EXPECT_THAT(run({"show", "last"}).out, HasSubstr(std::string{to_string(each.code)} + " in s: "));
  }
  EXPECT_THAT(run({"db", "check"}).out, HasSubstr("intact"));
}

TEST_F(misbehaving_agents_test, one_that_prints_now_and_then_is_not_idle) {
  const words script{"print", "a", "work", "300", "complain", "b", "work", "300", "print", "c", "work", "300"};
  const auto ended = run_alone(scripted(script) + "first_output = '10s'\nidle_timeout = '600ms'\n");
  EXPECT_EQ(ended.code, 0) << at(ended.json, "/error");
  EXPECT_EQ(ended.output.standard_output, "ac");
}

TEST_F(misbehaving_agents_test, what_cannot_be_started_is_told_with_what_to_do) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"command = ['no-such-agent']\npass_env = ['PATH']\n", "PATH"},
      {"command = ['/no/such/agent']\n", "command"},
      {"command = ['./script']\n", "chmod"},
      {"command = ['/bin/true']\ncwd = 'no/such/folder'\n", ""},
  };
  write("script", "#!/bin/sh\n");
  for (const auto& [agent, hint] : table) {
    const auto ended = run_alone(agent);
    SCOPED_TRACE(agent);
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(at(ended.json, "/error/code"), "AGENT_NOT_FOUND");
    EXPECT_THAT(at(ended.json, "/error/hint"), AllOf(HasSubstr(hint), Not("")));
    EXPECT_EQ(ended.output.task.state, task_state::failed);
    EXPECT_EQ(ended.output.task.exit_code, std::nullopt);
    EXPECT_EQ(ended.output.standard_output, "");
  }
}

TEST_F(misbehaving_agents_test, one_that_floods_both_pipes_before_it_reads_gets_all_of_its_prompt) {
  const auto prompt = pattern(1U << 20U);
  const auto ended = run_alone(scripted({"flood", "1000000", "flood-err", "1000000", "digest"}), prompt);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output.standard_output, pattern(1'000'000) + digest_of(prompt));
  EXPECT_EQ(ended.output.standard_error, pattern(1'000'000));
  EXPECT_EQ(ended.output.task.standard_error_bytes, 1'000'000);
}

TEST_F(misbehaving_agents_test, one_that_reads_nothing_of_its_prompt_is_no_failure) {
  const auto ended = run_alone(scripted({"print", "known by heart"}), pattern(1U << 20U));
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(at(ended.json, "/result/s"), "known by heart");
}

TEST_F(misbehaving_agents_test, a_prompt_of_fifty_megabytes_arrives_whole) {
  const auto prompt = pattern(50U << 20U);
  const auto ended = run_alone(scripted({"digest"}), prompt);
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output.standard_output, digest_of(prompt));
}

TEST_F(misbehaving_agents_test, bytes_that_are_no_text_are_kept_as_they_came_and_shown_safely) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes.push_back(static_cast<char>(value));
  }
  bytes += std::string{"\xff\xfe\x00", 3};
  const auto ended = run_alone(scripted({"bytes"}));
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.output.standard_output, bytes);
  EXPECT_EQ(run({"output", "last", "s"}).out, bytes) << "byte for byte where nobody looks";
  EXPECT_THAT(at(json_of(run({"output", "last", "s", "--json"}).out), "/outputs/0/stdout"), HasSubstr("\uFFFD"));
  for (const words& command : {words{"output", "last", "s"}, words{"show", "last"}, words{"show", "last", "-v"}}) {
    const auto shown = run_on_terminal(command, {{"NO_COLOR", "1"}}).out;
    EXPECT_THAT(shown, HasSubstr("ABCDEFG"));
    const bool safe = std::ranges::all_of(shown, [](unsigned char each) {
      return each == '\n' || each == '\r' || each == '\t' || (each >= 0x20U && each != 0x7fU);
    });
    EXPECT_TRUE(safe) << testing::PrintToString(shown);
    EXPECT_EQ(repair_utf8(shown), shown);
  }
}

TEST_F(misbehaving_agents_test, escape_sequences_reach_no_terminal) {
  const std::string evil = "\x1b]0;title\x07\x1b[2Jred \x1b[31m\x1b[?1049h\n";
  const auto ended = run_alone(scripted({"print", evil, "complain", evil, "exit", "3"}));
  EXPECT_EQ(ended.output.standard_output, evil);
  EXPECT_THAT(at(ended.json, "/error/message"), Not(HasSubstr("\x1b")));
  for (const words& command : {words{"output", "last", "s"},
                               words{"logs", "last"},
                               words{"logs", "last", "--stderr"},
                               words{"show", "last"}}) {
    const auto shown = run_on_terminal(command, {{"NO_COLOR", "1"}}).out;
    EXPECT_THAT(shown, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("1049"))));
  }
  EXPECT_EQ(run_on_terminal({"output", "last", "s"}).out, "red\r\n");
  const auto live = run_on_terminal({"run", "alone.toml", "--input", "prompt=x"}).out;
  EXPECT_THAT(live, AllOf(Not(HasSubstr("1049")), Not(HasSubstr("title"))));
}

TEST_F(misbehaving_agents_test, what_it_leaves_behind_is_gone_when_the_run_ends) {
  for (const std::string leaves :
       {"sleep 1000 & echo $!", "setsid sleep 1000 & echo $!", "(setsid sleep 1000 & echo $!)"}) {
    const auto ended = run_alone(sh(leaves));
    SCOPED_TRACE(leaves);
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.output.task.exit_code, 0);
    const int left = std::stoi(ended.output.standard_output);
    EXPECT_GT(left, 1);
    EXPECT_FALSE(is_alive(left));
    EXPECT_LT(*ended.output.task.finished_at - *ended.output.task.started_at, std::chrono::seconds{10});
  }
}

TEST_F(misbehaving_agents_test, a_prompt_as_an_argument_has_the_limit_of_the_system) {
  const std::string by_argument = "prompt = 'arg'\n";
  EXPECT_EQ(run_alone(scripted({"args"}) + by_argument, "a \"b\" $c").output.standard_output, "8:a \"b\" $c");
  EXPECT_EQ(run_alone(scripted({"args"}) + by_argument, pattern(100'000)).output.standard_output,
            "100000:" + pattern(100'000));
  const auto refused = run_alone(scripted({"args"}) + by_argument, pattern(200'000));
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(at(refused.json, "/error/code"), "INVALID_INPUT");
  EXPECT_THAT(at(refused.json, "/error/message"), HasSubstr("200000 bytes"));
  EXPECT_THAT(at(refused.json, "/error/hint"), HasSubstr("prompt = \"stdin\" or \"file\""));
}

TEST_F(misbehaving_agents_test, a_prompt_as_a_file_is_private_and_gone_afterwards) {
  const std::string by_file = "prompt = 'file'\n";
  const std::string look = "stat -c %a \"$1\"; echo \"$1\"; echo \"$TROUPE_PROMPT_FILE\"; cat \"$1\"";
  for (const std::string end : {"", "; exit 3", "; kill -9 $$"}) {
    const auto ended = run_alone(sh(look + end) + by_file, "for your eyes\nonly");
    EXPECT_EQ(ended.code, end.empty() ? 0 : 1);
    std::istringstream printed{ended.output.standard_output};
    std::string mode;
    std::string file;
    std::string in_environment;
    std::getline(printed, mode);
    std::getline(printed, file);
    std::getline(printed, in_environment);
    EXPECT_EQ(mode, "600");
    EXPECT_EQ(file, in_environment);
    EXPECT_THAT(ended.output.standard_output, testing::EndsWith("for your eyes\nonly"));
    EXPECT_THAT(file, StartsWith("/"));
    EXPECT_FALSE(std::filesystem::exists(file));
  }
}

}  // namespace
}  // namespace troupe
