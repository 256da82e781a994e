// troupe run: inputs, ids, results, ends.
#include "tests/support/cli_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Prints what it was given.
constexpr std::string_view echo = R"(
name = "echo"
[inputs.topic]
required = true
[inputs.depth]
default = 2
[[step]]
id = "say"
agent = "cat"
prompt = "{{inputs.topic}} to {{inputs.depth}}"
)";

class cli_run_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("echo.toml", echo);
    write("troupe.toml", "[agents.cat]\n" + scripted({"cat"}));
  }
};

TEST_F(cli_run_test, prints_the_result_and_tells_progress_beside_it) {
  const auto done = run({"run", "echo.toml", "--input", "topic=parsers", "--run-id", "r1"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, AllOf(StartsWith("echo  completed"), HasSubstr("r1\n"), HasSubstr("\nsay: parsers to 2\n")));
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("run.started"), HasSubstr("task.completed       say/cat"), HasSubstr("run.completed")));
  EXPECT_THAT(done.err, Not(HasSubstr("task.queued")));
  EXPECT_THAT(run({"run", "echo.toml", "--input", "topic=x", "-v"}).err, HasSubstr("task.queued"));
}

TEST_F(cli_run_test, quiet_prints_the_data_alone) {
  const auto done = run({"run", "echo.toml", "--input", "topic=parsers", "-q"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "parsers to 2\n");
  EXPECT_EQ(done.err, "");
}

TEST_F(cli_run_test, ends_with_the_object_of_the_contract) {
  const auto done =
      json_of(run({"run", "echo.toml", "--input", "topic=x", "--subject", "S-1", "--run-id", "r1", "--json"}).out);
  const std::map<std::string, std::string> expected{{"/run", "r1"},
                                                    {"/workflow", "echo"},
                                                    {"/subject", "S-1"},
                                                    {"/state", "completed"},
                                                    {"/degraded", "false"},
                                                    {"/steps", "1"},
                                                    {"/supersteps", "1"},
                                                    {"/result", R"({"say":"x to 2"})"},
                                                    {"/usage/input_tokens", "0"},
                                                    {"/usage/output_tokens", "0"},
                                                    {"/error", "null"}};
  for (const auto& [pointer, value] : expected) {
    EXPECT_EQ(at(done, pointer), value) << pointer;
  }
  EXPECT_TRUE(std::regex_match(at(done, "/state_hash"), std::regex{"sha256:[0-9a-f]{64}"}));
  for (const char* pointer : {"/started_at", "/finished_at"}) {
    EXPECT_TRUE(std::regex_match(at(done, pointer), std::regex{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"}))
        << pointer;
  }
  auto shown = json_of(run({"show", "r1", "--json"}).out);
  EXPECT_TRUE(shown.get_object().erase("tasks") > 0);
  EXPECT_TRUE(shown.get_object().erase("verdicts") > 0);
  EXPECT_TRUE(shown.get_object().erase("gates") > 0);
  EXPECT_EQ(shown, done);
}

TEST_F(cli_run_test, takes_inputs_as_texts_as_json_and_from_files) {
  write("in.json", R"({"topic": "file", "depth": 9})");
  write("in.toml", "topic = 'toml'\ndepth = 3\n");
  struct given {
    words arguments;
    std::string input;
    std::string prompt;
  };
  const std::vector<given> table{
      {{"--input", "topic=a=b"}, "", "a=b to 2"},
      {{"--input", "topic=a", "--input", "depth:=[1, {\"k\": null}]"}, "", R"(a to [1,{"k":null}])"},
      {{"--input", "topic=1", "--input", "depth=1"}, "", "1 to 1"},
      {{"--input-file", "in.json"}, "", "file to 9"},
      {{"--input-file", "in.toml"}, "", "toml to 3"},
      {{"--input-file", "in.json", "--input", "topic=won"}, "", "won to 9"},
      {{"--input-file", "-"}, R"({"topic": "piped ü"})", "piped ü to 2"},
  };
  for (const given& each : table) {
    words arguments{"run", "echo.toml", "-q"};
    arguments.insert(arguments.end(), each.arguments.begin(), each.arguments.end());
    const auto done = run(arguments, {}, each.input);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(done.out, each.prompt + "\n");
  }
}

TEST_F(cli_run_test, refuses_wrong_inputs_before_anything_runs) {
  write("list.json", "[1]");
  write("broken.json", "{\"topic\": ");
  write("broken.toml", "topic = \n");
  struct mistake {
    words arguments;
    std::string message;
    std::string hint;
  };
  const std::vector<mistake> table{
      {{}, "input 'topic' is required and was not given", "--input topic=VALUE"},
      {{"--input", "topic=x", "--input", "topci=y"}, "topci", "topic"},
      {{"--input", "topic=a", "--input", "topic=b"}, "input 'topic' is given twice", "--input 'topic:="},
      {{"--input", "topic"}, "'topic' is not NAME=VALUE", "--input topic=parsers"},
      {{"--input", "=x"}, "'=x' is not NAME=VALUE", ""},
      {{"--input", "topic:=parsers"}, "--input topic:= takes JSON", "--input topic=VALUE for a text"},
      {{"--input-file", "absent.json"}, "cannot read absent.json: No such file", ""},
      {{"--input-file", "list.json"}, "list.json: the inputs are one JSON object", "topic"},
      {{"--input-file", "broken.json"}, "broken.json: ", ""},
      {{"--input-file", "broken.toml"}, "broken.toml:1: ", ""},
  };
  for (const mistake& each : table) {
    words arguments{"run", "echo.toml"};
    arguments.insert(arguments.end(), each.arguments.begin(), each.arguments.end());
    const auto refused = run(arguments);
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, AllOf(HasSubstr(each.message), HasSubstr(each.hint)));
    arguments.emplace_back("--json");
    EXPECT_EQ(at(json_of(run(arguments).out), "/error/code"), "INVALID_INPUT");
  }
  EXPECT_EQ(run({"runs", "-q"}).out, "");
}

TEST_F(cli_run_test, a_run_that_is_there_already_gives_its_result_again) {
  const words again{"run", "echo.toml", "--input", "topic=x", "--run-id", "r1", "--json"};
  const auto first = run(again);
  EXPECT_EQ(run(again).out, first.out);
  EXPECT_EQ(tasks_of("r1").size(), 1U);
  const auto other = run({"run", "echo.toml", "--input", "topic=y", "--run-id", "r1", "--json"});
  EXPECT_EQ(other.code, 2);
  EXPECT_EQ(at(json_of(other.out), "/error/code"), "IDEMPOTENCY_VIOLATION");
  EXPECT_EQ(at(json_of(other.out), "/error/run"), "r1");
  EXPECT_EQ(run({"runs", "-q"}).out, "r1\n");
}

TEST_F(cli_run_test, takes_the_command_of_an_agent_from_the_command_line) {
  const auto done = run({"run", "echo.toml", "--input", "topic=x", "-q", "--agent", "cat=echo 'a  b' \"c\""});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "a  b c\n");
}

TEST_F(cli_run_test, the_exit_code_tells_how_it_ended) {
  struct ending {
    std::string flow;
    int code;
    std::string error;
  };
  const std::vector<ending> table{
      {"[[step]]\nid = 's'\nfunction = 'probe.echo'\n", 0, "null"},
      {"[[step]]\nid = 's'\nfunction = 'probe.fail'\nargs = { times = 9, class = 'permanent', message = 'no' }\n",
       1,
       ""},
      {"[[step]]\nid = 's'\nfunction = 'probe.expect'\nargs = { path = '/x', eq = 1 }\n", 1, ""},
      {"[limits]\nmax_steps = 3\n[[step]]\nid = 's'\nfunction = 'probe.echo'\nnext = 's'\n", 6, "MAX_STEPS_EXCEEDED"},
      {"[limits]\nwall_clock = '50ms'\n[[step]]\nid = 's'\nfunction = 'probe.sleep'\nargs = { ms = 60000 }\n",
       6,
       "RUN_TIMEOUT"},
      {"[[step]]\nid = 's'\ntimeout = '50ms'\nfunction = 'probe.sleep'\nargs = { ms = 60000 }\n", 1, "TASK_TIMEOUT"},
      {"[[step]]\nid = 's'\nnext = ['a', 'b']\nfunction = 'probe.echo'\n"
       "[[step]]\nid = 'a'\noutput = 'x'\nfunction = 'probe.set'\nargs = { field = 'x', value = 1 }\n"
       "[[step]]\nid = 'b'\noutput = 'x'\nfunction = 'probe.set'\nargs = { field = 'x', value = 2 }\n",
       1,
       "MERGE_CONFLICT"},
  };
  for (const ending& each : table) {
    write("ending.toml", "name = 'ending'\n" + each.flow);
    const auto done = run({"run", "ending.toml", "--json"});
    const auto document = json_of(done.out);
    EXPECT_EQ(done.code, each.code) << done.out;
    EXPECT_EQ(at(document, "/state"), each.code == 0 ? "completed" : "failed");
    if (each.error == "null") {
      EXPECT_EQ(at(document, "/error"), "null");
    } else {
      EXPECT_THAT(at(document, "/error/code"), HasSubstr(each.error));
    }
    const auto text = run({"run", "ending.toml"});
    EXPECT_EQ(text.code, each.code);
    EXPECT_THAT(text.out, HasSubstr(each.error == "null" ? "completed" : each.error));
  }
}

TEST_F(cli_run_test, a_database_that_cannot_be_used_is_told_and_left_alone) {
  ASSERT_EQ(run({"run", "echo.toml", "--input", "topic=x"}).code, 0);
  write("garbage.db", std::string(64U << 10U, 'x'));
  std::filesystem::copy_file(database_path(), path("newer.db"));
  SQLite::Database{path("newer.db"), SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 99");
  const std::map<std::string, std::string> table{{"garbage.db", "STORAGE_CORRUPT"},
                                                 {"newer.db", "STORAGE_NEWER"},
                                                 {"/proc/no/such/troupe.db", "STORAGE_UNAVAILABLE"}};
  for (const auto& [file, code] : table) {
    for (const words& command : {words{"run", "echo.toml", "--input", "topic=x"}, words{"runs"}, words{"db", "info"}}) {
      if (file.starts_with('/') && command.front() != "run") {
        continue;  // where there is no database there are no runs
      }
      words arguments = command;
      arguments.insert(arguments.end(), {"--json", "--db", file});
      const auto refused = run(arguments);
      EXPECT_EQ(refused.code, 7) << file << ' ' << command.front();
      EXPECT_EQ(at(json_of(refused.out), "/error/code"), code) << command.front();
    }
  }
  EXPECT_EQ(run_program({"cat", "garbage.db"}).out, std::string(64U << 10U, 'x'));
}

TEST_F(cli_run_test, warns_of_what_may_be_wrong_and_goes_on) {
  write("absent.toml", "name = 'absent'\n[[step]]\nid = 's'\nagents = ['cat', 'gone']\n[step.consensus]\nquorum = 1\n");
  write("troupe.toml", "[agents.cat]\n" + scripted({"print", "x"}) + "[agents.gone]\ncommand = ['no-such-agent']\n");
  const auto done = run({"run", "absent.toml"}, {{"TROUPE_WRITR__MAX_BATCH", "3"}});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err, AllOf(HasSubstr("warning:"), HasSubstr("no-such-agent"), HasSubstr("TROUPE_WRITR__MAX_BATCH")));
  EXPECT_THAT(done.out, AllOf(HasSubstr("degraded"), HasSubstr("gone is missing: AGENT_NOT_FOUND")));
}

}  // namespace
}  // namespace troupe
