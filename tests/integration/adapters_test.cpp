// docs/adapters.md as it stands there, run with the program that it shows; and `troupe agents`.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The n-th block of the page in this language, from 0.
std::string block(const std::string& language, int wanted) {
  std::ifstream page{TROUPE_SOURCE_DIR "/docs/adapters.md"};
  std::string text;
  int count = -1;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```" + language) {
      inside = ++count == wanted;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      text += line + '\n';
    }
  }
  EXPECT_NE(text, "") << language << ' ' << wanted;
  return text;
}

class adapters_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("bot", block("sh", 0));
    std::filesystem::permissions(path("bot"), std::filesystem::perms::owner_all);
    write("troupe.toml", block("toml", 1));
    write("ask.toml", block("toml", 2));
  }
};

TEST_F(adapters_test, the_example_of_the_page_runs) {
  const auto done = run({"run", "ask.toml", "--input", "question=Which way?", "--run-id", "r1", "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  const auto json = json_of(done.out);
  EXPECT_EQ(at(json, "/result/ask/quick"), "small: Which way?");
  EXPECT_EQ(at(json, "/result/ask/careful"), "large: Which way?");
  EXPECT_EQ(at(json, "/usage/input_tokens"), "24");
  EXPECT_EQ(at(json, "/usage/output_tokens"), "6");
  const auto raw = run({"output", "r1", "ask", "quick"});
  EXPECT_THAT(raw.out, HasSubstr("\"thread\": \"t-1\"")) << "what it printed is kept whole";
}

TEST_F(adapters_test, what_the_agent_says_of_its_failure_is_the_error) {
  EXPECT_EQ(run({"run", "ask.toml", "--input", "question=", "--run-id", "r1"}).code, 1);
  for (const auto& task : tasks_of("r1")) {
    ASSERT_TRUE(task.why);
    EXPECT_EQ(task.why->code, error_code::auth_required);
    EXPECT_EQ(task.why->message, "agent '" + task.agent.str() + "' failed: Ask something.");
  }
}

TEST_F(adapters_test, a_run_keeps_the_rules_that_it_began_with) {
  ASSERT_EQ(run({"run", "ask.toml", "--input", "question=a", "--run-id", "r1"}).code, 0);
  const auto pinned = stored()->load_recovery(run_id{"r1"});
  ASSERT_TRUE(pinned);
  EXPECT_THAT(pinned->config_source,
              AllOf(HasSubstr("/reply/text"), HasSubstr("{{model}}"), Not(HasSubstr("adapter"))));
}

TEST_F(adapters_test, agents_are_listed_with_their_programs) {
  write("more.toml", block("toml", 1) + "[agents.gone]\ncommand = ['no-such-agent']\nprovider = 'us'\n");
  const auto list = run({"agents", "--config", "more.toml"});
  EXPECT_EQ(list.code, 0) << "a program that is missing may be there when it runs";
  EXPECT_THAT(list.out,
              AllOf(StartsWith("AGENT"),
                    HasSubstr("careful  command  bot"),
                    HasSubstr(path("bot") + '\n'),
                    HasSubstr("not found: no-such-agent")));
  EXPECT_THAT(list.err, AllOf(HasSubstr("more.toml:"), HasSubstr("there is no program 'no-such-agent'")));
  EXPECT_EQ(run({"agents", "-q", "--config", "more.toml"}).out, "careful\ngone\nquick\n");
  const auto json = json_of(run({"agents", "--json", "--config", "more.toml"}).out);
  EXPECT_EQ(at(json, "/agents/0/name"), "careful");
  EXPECT_EQ(at(json, "/agents/0/adapter"), "bot");
  EXPECT_EQ(at(json, "/agents/0/model"), "large");
  EXPECT_EQ(at(json, "/agents/0/program"), path("bot"));
  EXPECT_EQ(at(json, "/agents/0/problems"), "[]");
  EXPECT_EQ(at(json, "/agents/1/program"), "null");
  EXPECT_EQ(at(json, "/agents/1/provider"), "us");
  EXPECT_EQ(at(json, "/agents/1/problems/0/code"), "AGENT_NOT_FOUND");
}

TEST_F(adapters_test, adapters_are_listed_as_a_file_would_have_them) {
  const auto list = run({"agents", "--adapters"});
  EXPECT_EQ(list.code, 0);
  EXPECT_THAT(list.out, AllOf(StartsWith("[adapters.bot]\n"), HasSubstr("\n[adapters.claude]\ncommand = [\"claude\"")));
  EXPECT_EQ(run({"agents", "--adapters", "-q"}).out, "bot\nclaude\ncodex\ngemini\n");
  write("again.toml", list.out);
  EXPECT_EQ(run({"agents", "--adapters", "--config", "again.toml"}).out, list.out) << "what is printed can be read";
  const auto json = json_of(run({"agents", "--adapters", "--json"}).out);
  EXPECT_EQ(at(json, "/adapters/0/name"), "bot");
  EXPECT_EQ(at(json, "/adapters/0/builtin"), "false");
  EXPECT_EQ(at(json, "/adapters/1/builtin"), "true");
  EXPECT_EQ(at(json, "/adapters/1/answer"), "/result");
}

TEST_F(adapters_test, without_agents_it_says_how_to_have_one) {
  write("troupe.toml", "");
  const auto none = run({"agents"});
  EXPECT_EQ(none.code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("[agents.NAME]"));
  EXPECT_EQ(run({"agents", "--json"}).out, "{\"agents\":[]}\n");
}

TEST_F(adapters_test, mistakes_are_found_before_anything_runs) {
  write("troupe.toml",
        "[agents.quick]\nadapter = 'bto'\n[agents.careful]\nadapter = 'bot'\n[adapters.bot]\n"
        "command = ['./bot']\nparse = 'json'\nanswer = 'reply'\n");
  const auto checked = run({"check", "ask.toml"});
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.err,
              AllOf(HasSubstr("troupe.toml:2:11: error: there is no adapter 'bto'"),
                    HasSubstr("did you mean 'bot'?"),
                    HasSubstr("troupe.toml:8:10: error: 'answer' is 'reply', which is not a JSON pointer")));
  EXPECT_EQ(run({"agents"}).code, 2);
  EXPECT_EQ(run({"agents", "extra"}).code, 2);
}

}  // namespace
}  // namespace troupe
