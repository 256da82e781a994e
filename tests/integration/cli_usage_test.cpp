// What holds for every command: help, mistakes of the command line, JSON and nothing else, colours on terminals only.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view flow = R"(
name = "count"
[state.n]
initial = 0
reduce = "sum"
[[step]]
id = "add"
function = "probe.add"
args = { field = "n", value = 3 }
)";

class cli_usage_test : public cli_fixture {
 protected:
  /// The commands that the help of `command` lists.
  words commands_below(const words& command) const {
    words asked = command;
    asked.emplace_back("--help");
    std::istringstream lines{run(asked).out};
    words found;
    bool here = false;
    for (std::string line; std::getline(lines, line);) {
      if (here && line.empty()) {
        break;
      }
      if (here) {
        found.push_back(line.substr(2, line.find(' ', 2) - 2));
      }
      here = here || line == "Commands";
    }
    return found;
  }

  std::vector<words> every_command() const {
    std::vector<words> all{{}};
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (const std::string& name : commands_below(all[i])) {
        all.push_back(all[i]);
        all.back().push_back(name);
      }
    }
    return all;
  }
};

std::string joined(const words& command) {
  std::string text = "troupe";
  for (const std::string& each : command) {
    text += ' ' + each;
  }
  return text;
}

TEST_F(cli_usage_test, every_command_explains_itself_with_examples) {
  const auto all = every_command();
  EXPECT_GE(all.size(), 20U);
  for (const words& command : all) {
    for (const char* flag : {"--help", "-h"}) {
      words asked = command;
      asked.emplace_back(flag);
      const auto help = run(asked);
      SCOPED_TRACE(joined(asked));
      EXPECT_EQ(help.code, 0);
      EXPECT_EQ(help.err, "");
      EXPECT_THAT(help.out, StartsWith(joined(command) + ": "));
      EXPECT_THAT(help.out, HasSubstr("\nUsage\n  " + joined(command)));
      EXPECT_THAT(help.out, HasSubstr("\nExamples\n  troupe "));
      EXPECT_THAT(help.out, HasSubstr("--json "));
      EXPECT_THAT(help.out, Not(HasSubstr(" \n")));
    }
  }
}

TEST_F(cli_usage_test, tells_its_version) {
  const auto text = run({"--version"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, MatchesRegex("troupe [0-9]+\\.[0-9]+\\.[0-9]+ \\(.+\\)\n"));
  const auto json = json_of(run({"--version", "--json"}).out);
  EXPECT_EQ(text.out, "troupe " + at(json, "/version") + " (" + at(json, "/revision") + ")\n");
}

TEST_F(cli_usage_test, without_a_command_shows_help_and_refuses) {
  for (const words& group : {words{}, words{"db"}, words{"config"}}) {
    const auto alone = run(group);
    EXPECT_EQ(alone.code, 2);
    EXPECT_EQ(alone.out, "");
    EXPECT_THAT(alone.err, HasSubstr("\nCommands\n"));
  }
}

TEST_F(cli_usage_test, says_what_is_wrong_with_a_command_line_and_what_was_meant) {
  struct mistake {
    words arguments;
    std::string message;
    std::string hint;
  };
  const std::vector<mistake> table{
      {{"rnu", "x.toml"}, "there is no command 'troupe rnu'", "did you mean 'run'?"},
      {{"frobnicate"}, "there is no command 'troupe frobnicate'", "troupe --help lists what there is"},
      {{"db", "chek"}, "there is no command 'troupe db chek'", "did you mean 'check'?"},
      {{"run", "x.toml", "--inptu", "a=b"}, "troupe run has no option '--inptu'", "did you mean '--input'?"},
      {{"show", "last", "--jsn"}, "troupe show has no option '--jsn'", "did you mean '--json'?"},
      {{"runs", "-x"}, "troupe runs has no option '-x'", "troupe runs --help"},
      {{"run"}, "WORKFLOW is missing", "usage: troupe run WORKFLOW"},
      {{"output", "last"}, "STEP is missing", "usage: troupe output RUN STEP"},
      {{"show", "a", "b"}, "'b' is one argument too many", "usage: troupe show RUN"},
      {{"run", "x.toml", "--input"}, "--input", "usage: troupe run"},
      {{"runs", "--limit", "many"}, "'many' is not a whole number from 1", "usage: troupe runs"},
      {{"runs", "--limit", "0"}, "'0' is not a whole number from 1", "usage: troupe runs"},
      {{"runs", "--state", "compleetd"}, "did you mean 'completed'?", "usage: troupe runs"},
      {{"graph", "x.toml", "--format", "svg"}, "'svg' is none of mermaid, dot", "usage: troupe graph"},
      {{"logs", "last", "--since", "-1"}, "-1", "usage: troupe logs"},
      {{"logs", "last", "--stderr", "--follow"}, "--follow", "usage: troupe logs"},
      {{"completion", "tcsh"}, "'tcsh' is none of bash, zsh, fish", "usage: troupe completion"},
      {{"resume"}, "RUN is missing", "troupe resume last"},
      {{"resume", "last", "--all"}, "RUN and --all", "troupe resume"},
      {{"run", "x.toml", "--run-id", "last"}, "'last' cannot be the id of a run", "an id has 1 to 128"},
      {{"run", "x.toml", "--run-id", "../x"}, "'../x' cannot be the id of a run", "an id has 1 to 128"},
      {{"run", "x.toml", "--agent", "nothing"}, "nothing", ""},
      {{"runs", "--set", "writer.max_bach=3"}, "writer.max_bach", "did you mean 'max_batch'?"},
      {{"runs", "--set", "writer.max_batch=0"}, "writer.max_batch", "1 to 65536"},
      {{"runs", "--config", "absent.toml"}, "absent.toml", ""},
  };
  for (const mistake& each : table) {
    SCOPED_TRACE(joined(each.arguments));
    const auto text = run(each.arguments);
    EXPECT_EQ(text.code, 2);
    EXPECT_EQ(text.out, "");
    EXPECT_THAT(text.err, HasSubstr("error:"));
    EXPECT_THAT(text.err, HasSubstr(each.message));
    EXPECT_THAT(text.err, HasSubstr(each.hint));

    words with_json{"--json"};
    with_json.insert(with_json.end(), each.arguments.begin(), each.arguments.end());
    const auto json = run(with_json);
    EXPECT_EQ(json.code, 2);
    EXPECT_EQ(json.err, "");
    const auto document = json_of(json.out);
    EXPECT_THAT(at(document, "/error/code"), StartsWith("INVALID_"));
    EXPECT_NE(at(document, "/error/message"), "");
  }
}

TEST_F(cli_usage_test, json_is_one_document_and_all_that_is_printed) {
  write("count.toml", flow);
  ASSERT_EQ(run({"run", "count.toml", "--run-id", "r1"}).code, 0);
  struct command {
    words arguments;
    int code = 0;
  };
  const std::vector<command> table{
      {{"run", "count.toml"}},
      {{"run", "absent.toml"}, 2},
      {{"resume", "r1"}},
      {{"runs"}},
      {{"show", "r1"}},
      {{"show", "absent"}, 2},
      {{"logs", "absent"}, 2},
      {{"output", "r1", "add"}},
      {{"output", "r1", "absent"}, 2},
      {{"pending"}},
      {{"approve", "r1", "add"}, 2},
      {{"cancel", "r1"}, 2},
      {{"replay", "r1"}},
      {{"replay", "absent"}, 2},
      {{"diff", "r1", "r1"}},
      {{"diff", "r1", "absent"}, 2},
      {{"fork", "r1", "--at", "0", "--no-run"}},
      {{"fork", "r1", "--at", "99"}, 2},
      {{"check", "count.toml"}},
      {{"check", "absent.toml"}, 2},
      {{"graph", "count.toml"}},
      {{"graph", "r1", "--format", "dot"}},
      {{"config", "show"}},
      {{"config", "check"}},
      {{"config", "init", "made.toml"}},
      {{"config", "init", "made.toml"}, 2},
      {{"config", "schema"}},
      {{"db", "info"}},
      {{"db", "check"}},
      {{"db", "migrate"}},
      {{"db", "backup", "copy.db"}},
      {{"db", "backup", "copy.db"}, 2},
      {{"db", "import", "absent.db"}, 2},
      {{"db", "info", "--db", "absent.db"}, 2},
      {{"doctor"}},
      {{"completion", "bash"}},
      {{"--version"}},
      {{}, 2},
      {{"db"}, 2},
  };
  for (const command& each : table) {
    SCOPED_TRACE(joined(each.arguments));
    words arguments = each.arguments;
    arguments.emplace_back("--json");
    const auto json = run(arguments);
    EXPECT_EQ(json.code, each.code);
    EXPECT_EQ(json.err, "");
    const auto document = json_of(json.out);
    EXPECT_TRUE(document.is_object());
    if (each.code == 2) {
      EXPECT_NE(at(document, "/error/message"), "nothing");
      for (const char* member : {"/error/hint", "/error/run", "/error/step"}) {
        EXPECT_NE(at(document, member), "nothing") << member;
      }
    }
  }
  for (const auto& event : json_lines_of(run({"logs", "r1", "--json"}).out)) {
    EXPECT_EQ(at(event, "/run"), "r1");
  }
}

TEST_F(cli_usage_test, where_nobody_looks_there_are_no_escape_sequences) {
  write("count.toml", flow);
  const std::vector<words> table{{"run", "count.toml"},
                                 {"run", "count.toml", "-v"},
                                 {"show", "last"},
                                 {"runs"},
                                 {"logs", "last"},
                                 {"output", "last", "add"},
                                 {"check", "count.toml"},
                                 {"check", "absent.toml"},
                                 {"config", "show"},
                                 {"db", "check"},
                                 {"doctor"},
                                 {"--help"},
                                 {"rnu"}};
  for (const words& arguments : table) {
    const auto plain = run(arguments, {{"TERM", "xterm-256color"}});
    EXPECT_THAT(plain.out + plain.err, Not(HasSubstr("\x1b"))) << joined(arguments);
  }
}

TEST_F(cli_usage_test, a_terminal_has_colours_unless_they_are_declined) {
  constexpr const char* colour = "\x1b[";
  write("count.toml", flow);
  ASSERT_EQ(run({"run", "count.toml"}).code, 0);
  for (const words& arguments : {words{"show", "last"}, words{"runs"}, words{"logs", "last"}, words{"rnu"}}) {
    SCOPED_TRACE(joined(arguments));
    words declined = arguments;
    declined.emplace_back("--no-color");
    EXPECT_THAT(run_on_terminal(arguments).out, HasSubstr(colour));
    EXPECT_THAT(run_on_terminal(declined).out, Not(HasSubstr(colour)));
    EXPECT_THAT(run_on_terminal(arguments, {{"NO_COLOR", "1"}}).out, Not(HasSubstr(colour)));
    EXPECT_THAT(run_on_terminal(arguments, {{"NO_COLOR", ""}}).out, HasSubstr(colour));
    EXPECT_THAT(run_on_terminal(arguments, {{"TERM", "dumb"}}).out, Not(HasSubstr(colour)));
  }
}

TEST_F(cli_usage_test, a_terminal_shows_progress_in_place_and_leaves_only_the_report) {
  write("count.toml", flow);
  const auto shown = run_on_terminal({"run", "count.toml", "--run-id", "r1"});
  EXPECT_EQ(shown.code, 0);
  const auto hidden = shown.out.find("\x1b[?25l");
  const auto given_back = shown.out.rfind("\x1b[?25h");
  ASSERT_NE(given_back, std::string::npos);
  EXPECT_LT(hidden, given_back);
  EXPECT_THAT(shown.out.substr(given_back), HasSubstr("3\r\n"));
  EXPECT_THAT(shown.out, Not(HasSubstr("task.completed")));
  EXPECT_THAT(run_on_terminal({"run", "count.toml"}, {{"TERM", "dumb"}}).out, HasSubstr("task.completed"));
}

TEST_F(cli_usage_test, says_so_where_its_output_cannot_be_written) {
  write("count.toml", flow);
  ASSERT_EQ(run({"run", "count.toml"}).code, 0);
  const auto full = run_program({"sh", "-c", "troupe show last >/dev/full"});
  EXPECT_EQ(full.code, 7);
  EXPECT_THAT(full.err, HasSubstr("not everything could be written"));
  const auto gone = run_program({"bash", "-c", "troupe logs last | true; echo ${PIPESTATUS[0]}"});
  EXPECT_EQ(gone.out, "0\n");
  EXPECT_EQ(gone.err, "");
}

}  // namespace
}  // namespace troupe
