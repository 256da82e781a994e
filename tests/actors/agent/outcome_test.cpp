#include "actors/agent/outcome.hpp"

#include "messages/base/json_text.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

agent_spec agent() {
  agent_spec spec;
  spec.name = agent_name{"critic"};
  return spec;
}

exit_facts ended(int status, std::string_view out = "x", std::string_view err = "") {
  return {{status, std::nullopt}, out, err, false};
}

exit_facts killed(int signal, std::string_view err = "") { return {{std::nullopt, signal}, "x", err, false}; }

std::string code(const std::optional<error>& why) { return why ? std::string{to_string(why->code)} : "none"; }

TEST(outcome_test, status_0_and_something_printed_is_no_error) {
  EXPECT_EQ(code(judge_exit(agent(), ended(0))), "none");
  EXPECT_EQ(code(judge_exit(agent(), ended(0, "\n"))), "none");
  EXPECT_EQ(code(judge_exit(agent(), ended(0, "error: FAILED, rate limit", "fatal: killed"))), "none");
}

TEST(outcome_test, status_0_and_nothing_printed_is_no_output) {
  const auto why = judge_exit(agent(), ended(0, "", "no key\n"));
  ASSERT_EQ(code(why), "AGENT_NO_OUTPUT");
  EXPECT_EQ(why->message, "agent 'critic' ended with status 0 and printed nothing: no key");
}

TEST(outcome_test, a_status_that_is_not_ok_is_an_error_with_the_last_words) {
  const auto why = judge_exit(agent(), ended(2, "x", "one\ntwo\n\n"));
  ASSERT_EQ(code(why), "AGENT_EXIT");
  EXPECT_EQ(why->message, "agent 'critic' ended with status 2: two");
  EXPECT_EQ(judge_exit(agent(), ended(255, "x"))->message, "agent 'critic' ended with status 255");
}

TEST(outcome_test, ok_exit_says_which_statuses_are_good) {
  auto linter = agent();
  linter.ok_exit = {0, 1};
  EXPECT_EQ(code(judge_exit(linter, ended(1))), "none");
  EXPECT_EQ(code(judge_exit(linter, ended(1, ""))), "AGENT_NO_OUTPUT");
  EXPECT_EQ(code(judge_exit(linter, ended(2))), "AGENT_EXIT");
  linter.ok_exit = {3};
  EXPECT_EQ(code(judge_exit(linter, ended(0))), "AGENT_EXIT");
}

TEST(outcome_test, signals_are_named) {
  const std::vector<std::pair<int, std::string>> table{{SIGHUP, "SIGHUP"},
                                                       {SIGINT, "SIGINT"},
                                                       {SIGQUIT, "SIGQUIT"},
                                                       {SIGILL, "SIGILL"},
                                                       {SIGTRAP, "SIGTRAP"},
                                                       {SIGABRT, "SIGABRT"},
                                                       {SIGBUS, "SIGBUS"},
                                                       {SIGFPE, "SIGFPE"},
                                                       {SIGKILL, "SIGKILL"},
                                                       {SIGSEGV, "SIGSEGV"},
                                                       {SIGPIPE, "SIGPIPE"},
                                                       {SIGALRM, "SIGALRM"},
                                                       {SIGTERM, "SIGTERM"},
                                                       {SIGXCPU, "SIGXCPU"},
                                                       {63, "signal 63"}};
  for (const auto& [signal, name] : table) {
    const auto why = judge_exit(agent(), killed(signal, "bad\n"));
    ASSERT_EQ(code(why), "AGENT_SIGNAL");
    EXPECT_EQ(why->message, "agent 'critic' was ended by " + name + ": bad");
  }
}

TEST(outcome_test, what_we_stopped_for_size_is_too_large_whatever_the_end) {
  auto facts = killed(SIGTERM);
  facts.output_too_large = true;
  EXPECT_EQ(code(judge_exit(agent(), facts)), "OUTPUT_TOO_LARGE");
  EXPECT_NE(judge_exit(agent(), facts)->message.find("16777216 bytes"), std::string::npos);
  facts = ended(0, "");
  facts.output_too_large = true;
  EXPECT_EQ(code(judge_exit(agent(), facts)), "OUTPUT_TOO_LARGE");
}

TEST(outcome_test, a_line_for_people_holds_no_control_and_no_ansi_sequence) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"plain", "plain"},
      {"\x1b[1;31mred\x1b[0m", "red"},
      {"\x1b[38;2;1;2;3mred", "red"},
      {"\x1b[2J\x1b[Htop", "top"},
      {"\x1b]0;a title\atext", "text"},
      {"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
      {"\x1b]0;never closed", ""},
      {"\x1bPq#0\x1b\\text", "text"},
      {"\x1b(Btext", "text"},
      {"\x1b"
       "7text",
       "text"},
      {"text\x1b", "text"},
      {"text\x1b[", "text"},
      {"text\x1b[31", "text"},
      {"\x1b[\xD0\xB6\xD0\xB6", "\xD0\xB6\xD0\xB6"},
      {"\x1b[1\x1b[2mtext", "text"},
      {std::string("a\0b\x01\x7f\b", 6), "ab"},
      {"a\tb", "a b"},
      {"a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"a\xC2\x9B"
       "31mb",
       "a31mb"},
      {"a\xC2\x80\xC2\x9F\xC2\xA0", "a\xC2\xA0"},
      {"\xC2\x1b[m\x9B"
       "31m",
       "31m"},
  };
  for (const auto& [line, plain] : table) {
    EXPECT_EQ(for_display(line, 200), plain);
  }
}

TEST(outcome_test, a_line_for_people_is_cut_between_characters) {
  EXPECT_EQ(for_display("abcdef", 3), "abc");
  EXPECT_EQ(for_display("ab\xE2\x82\xAC", 3), "ab");
  EXPECT_EQ(for_display("ab\xE2\x82\xAC", 4), "ab");
  EXPECT_EQ(for_display("ab\xE2\x82\xAC", 5), "ab\xE2\x82\xAC");
  EXPECT_EQ(for_display("\xF0\x9F\x98\x80", 3), "");
  EXPECT_EQ(for_display("abc", 0), "");
}

TEST(outcome_test, the_last_line_is_the_last_that_shows_something) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ""},
      {"\n\r\n", ""},
      {"one", "one"},
      {"one\ntwo", "two"},
      {"one\r\ntwo\r\n", "two"},
      {"50%\r100%", "100%"},
      {"one\n \t \n\x1b[0m\n", "one"},
      {"\x1b[0m\n", ""},
      {std::string("one\n\0\n", 6), "one"},
  };
  for (const auto& [bytes, line] : table) {
    EXPECT_EQ(last_line_for_display(bytes, 200), line);
  }
  std::string long_line;
  long_line.resize(10'000'000, 'x');
  EXPECT_EQ(last_line_for_display(long_line, 200), std::string(200, 'x'));
}

TEST(outcome_test, any_bytes_give_a_safe_line) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    std::string bytes;
    for (auto left = random() % 64; left > 0; --left) {
      const std::string_view pieces[] = {"\x1b", "[", "]", "\a", "m", "\xC2", "\x9B", "\xE2\x82\xAC", "a", "\n", ";"};
      bytes += random() % 3 == 0 ? std::string(1, static_cast<char>(random())) : std::string{pieces[random() % 11]};
    }
    const auto line = last_line_for_display(bytes, 20);
    ASSERT_LE(line.size(), 20U) << seed;
    ASSERT_EQ(repair_utf8(line), line) << seed;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const auto byte = static_cast<unsigned char>(line[i]);
      ASSERT_TRUE(byte >= 0x20U && byte != 0x7FU) << seed;
      ASSERT_FALSE(byte == 0xC2U && static_cast<unsigned char>(line[i + 1]) < 0xA0U) << seed;
    }
  }
}

}  // namespace
}  // namespace troupe
