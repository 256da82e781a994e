// show, runs, logs, output, graph: what is known of runs, also while they run.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace troupe {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view vote = R"(
name = "vote"
[[step]]
id = "decide"
agents = ["a", "b", "c"]
prompt = "Well?"
next = "done"
[step.consensus]
strategy = "vote"
[[step]]
id = "done"
function = "probe.set"
args = { field = "done", value = true }
)";

words lines_of(const std::string& text) {
  std::istringstream from{text};
  words lines;
  for (std::string line; std::getline(from, line);) {
    lines.push_back(line);
  }
  return lines;
}

class cli_look_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("vote.toml", vote);
    write("troupe.toml",
          "[agents.a]\n" + scripted({"print", "Yes", "complain", "thinking of a"}) + "[agents.b]\n" +
              scripted({"print", "yes "}) + "[agents.c]\n" + scripted({"print", "no", "complain", "thinking of c\n"}));
  }

  void vote_once(const std::string& id = "r1", const std::string& subject = "S-1") const {
    ASSERT_EQ(run({"run", "vote.toml", "-q", "--run-id", id, "--subject", subject}).code, 0);
  }
};

TEST_F(cli_look_test, show_tells_all_about_a_run) {
  vote_once();
  const auto shown = run({"show", "r1"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_EQ(shown.err, "");
  for (const char* part : {"vote  completed",
                           "subject    S-1",
                           "done       4 tasks in 2 supersteps",
                           "decide  a          completed        1",
                           "        b          completed        1",
                           "done    probe.set  completed        1",
                           "decide  3 of 3 answered, 2 agree, in dissent: c",
                           "decide: Yes\n",
                           "done: true\n"}) {
    EXPECT_THAT(shown.out, HasSubstr(part));
  }
  EXPECT_EQ(run({"show", "r1", "-q"}).out, "decide: Yes\ndone: true\n");
  EXPECT_EQ(run({"show", "last"}).out, shown.out);
  EXPECT_EQ(run({"show", "r"}).out, shown.out) << "the beginning of an id is enough";
  EXPECT_THAT(run({"show", "r1", "-v"}).out, HasSubstr("done  answered"));
  const auto json = json_of(run({"show", "r1", "--json"}).out);
  EXPECT_EQ(at(json, "/tasks/1/agent"), "b");
  EXPECT_EQ(at(json, "/tasks/1/state"), "completed");
  EXPECT_EQ(at(json, "/tasks/1/exit_code"), "0");
  EXPECT_EQ(at(json, "/tasks/1/stdout_bytes"), "4");
  EXPECT_EQ(at(json, "/tasks/3/step"), "done");
}

TEST_F(cli_look_test, a_run_that_is_not_there_is_told_with_what_is) {
  EXPECT_THAT(run({"show", "last"}).err, AllOf(HasSubstr("there is no database at"), HasSubstr("troupe run makes it")));
  EXPECT_EQ(run({"runs"}).code, 0);
  EXPECT_THAT(run({"runs"}).err, HasSubstr("no runs"));
  vote_once("day-1");
  vote_once("day-2");
  const auto absent = run({"show", "dya-1"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_THAT(absent.err, AllOf(HasSubstr("there is no run 'dya-1'"), HasSubstr("day-1")));
  const auto several = run({"show", "day"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, AllOf(HasSubstr("2 runs begin with 'day'"), HasSubstr("day-2, day-1")));
}

TEST_F(cli_look_test, runs_lists_the_newest_first_and_filters) {
  vote_once("r1", "S-1");
  vote_once("r2", "S-2");
  write("fails.toml",
        "name = 'fails'\n[[step]]\nid = 's'\nfunction = 'probe.expect'\nargs = { path = '/x', eq = 1 }\n");
  ASSERT_EQ(run({"run", "fails.toml", "-q", "--run-id", "r3"}).code, 1);
  const std::vector<std::pair<words, std::string>> table{
      {{}, "r3\nr2\nr1\n"},
      {{"--limit", "2"}, "r3\nr2\n"},
      {{"--state", "completed"}, "r2\nr1\n"},
      {{"--state", "failed"}, "r3\n"},
      {{"--state", "paused"}, ""},
      {{"--subject", "S-1"}, "r1\n"},
      {{"--subject", "S-1", "--state", "failed"}, ""},
      {{"--subject", "nobody"}, ""},
  };
  for (const auto& [filters, ids] : table) {
    words arguments{"runs"};
    arguments.insert(arguments.end(), filters.begin(), filters.end());
    words quiet = arguments;
    quiet.emplace_back("-q");
    EXPECT_EQ(run(quiet).out, ids) << testing::PrintToString(filters);
    arguments.emplace_back("--json");
    std::string listed;
    const auto document = json_of(run(arguments).out);
    for (const auto& each : document.at("runs").as_array()) {
      listed += at(each, "/run") + '\n';
    }
    EXPECT_EQ(listed, ids);
  }
  const auto text = run({"runs"}).out;
  EXPECT_THAT(lines_of(text),
              ElementsAre(HasSubstr("WORKFLOW"), HasSubstr("failed"), HasSubstr("S-2"), HasSubstr("S-1")));
}

TEST_F(cli_look_test, logs_numbers_events_without_gaps) {
  vote_once();
  const auto all = json_lines_of(run({"logs", "r1", "--json"}).out);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(at(all[i], "/seq"), std::to_string(i + 1));
  }
  EXPECT_EQ(lines_of(run({"logs", "r1"}).out).size(), all.size());
  EXPECT_EQ(at(all.back(), "/kind"), "run.completed");
  const auto since = json_lines_of(run({"logs", "r1", "--json", "--since", "5"}).out);
  EXPECT_EQ(at(since.front(), "/seq"), "6");
  EXPECT_EQ(since.size(), all.size() - 5);
  EXPECT_EQ(run({"logs", "r1", "--since", std::to_string(all.size())}).out, "");
  EXPECT_EQ(run({"logs", "r1", "--since", "9000", "--follow"}).code, 0) << "of a run that is over, nothing follows";
}

TEST_F(cli_look_test, logs_of_one_step_are_of_that_step) {
  vote_once();
  for (const auto& each : json_lines_of(run({"logs", "r1", "done", "--json"}).out)) {
    EXPECT_EQ(at(each, "/step"), "done");
  }
  EXPECT_EQ(json_lines_of(run({"logs", "r1", "done", "--json"}).out).size(), 4U);
}

TEST_F(cli_look_test, logs_prints_what_agents_complained) {
  vote_once();
  EXPECT_EQ(run({"logs", "r1", "--stderr", "-q"}).out, "thinking of athinking of c\n");
  EXPECT_THAT(run({"logs", "r1", "decide", "--stderr"}).out, HasSubstr("==> decide/a <==\nthinking of a"));
  const auto json = json_lines_of(run({"logs", "r1", "--stderr", "--json"}).out);
  EXPECT_EQ(at(json.at(2), "/stderr"), "thinking of c\n");
}

TEST_F(cli_look_test, follow_shows_a_run_as_it_goes_and_ends_with_it) {
  const latch held{path("latch")};
  write("held.toml", "name = 'held'\n[[step]]\nid = 's'\nagent = 'held'\n");
  auto running = start({"run",
                        "held.toml",
                        "--run-id",
                        "r1",
                        "--config",
                        write("held.config.toml", "[agents.held]\n" + held.command())});
  ASSERT_TRUE(running.wait_for("task.started"));
  auto following = start({"logs", "r1", "--follow"});
  auto following_as_json = start({"logs", "r1", "--follow", "--json", "--since", "1"});
  ASSERT_TRUE(following.wait_for("task.started"));
  ASSERT_TRUE(following_as_json.wait_for("task.started"));
  EXPECT_THAT(run({"logs", "r1"}).out, AllOf(HasSubstr("task.started"), Not(HasSubstr("run.completed"))));
  EXPECT_THAT(run({"show", "r1"}).out, AllOf(HasSubstr("running"), HasSubstr("held")));
  held.let_go();
  EXPECT_EQ(running.wait().code, 0);
  const auto followed = following.wait();
  EXPECT_EQ(followed.code, 0);
  EXPECT_EQ(followed.out, run({"logs", "r1"}).out);
  const auto as_json = json_lines_of(following_as_json.wait().out);
  EXPECT_EQ(at(as_json.front(), "/seq"), "2");
  EXPECT_EQ(at(as_json.back(), "/kind"), "run.completed");
}

TEST_F(cli_look_test, output_prints_what_agents_printed) {
  vote_once();
  EXPECT_EQ(run({"output", "r1", "decide", "b"}).out, "yes ");
  EXPECT_EQ(run({"output", "r1", "decide", "-q"}).out, "Yesyes no");
  EXPECT_EQ(run({"output", "r1", "decide"}).out, "==> decide/a <==\nYes\n==> decide/b <==\nyes \n==> decide/c <==\nno");
  const auto json = json_of(run({"output", "r1", "decide", "--json"}).out);
  EXPECT_EQ(at(json, "/run"), "r1");
  EXPECT_EQ(at(json, "/outputs/0/stdout"), "Yes");
  EXPECT_EQ(at(json, "/outputs/0/stderr"), "thinking of a");
  EXPECT_EQ(at(json, "/outputs/2/agent"), "c");
  const auto no_step = run({"output", "r1", "decied"});
  EXPECT_EQ(no_step.code, 2);
  EXPECT_THAT(no_step.err, AllOf(HasSubstr("decied"), HasSubstr("decide, done")));
  const auto no_agent = run({"output", "r1", "decide", "x"});
  EXPECT_EQ(no_agent.code, 2);
  EXPECT_THAT(no_agent.err, HasSubstr("a, b, c"));
}

TEST_F(cli_look_test, graph_draws_a_file) {
  const auto mermaid = run({"graph", "vote.toml"});
  EXPECT_EQ(mermaid.code, 0);
  EXPECT_THAT(mermaid.out, AllOf(testing::StartsWith("flowchart "), HasSubstr("decide"), HasSubstr(" --> ")));
  const auto dot = run({"graph", "vote.toml", "--format", "dot"});
  EXPECT_THAT(dot.out, AllOf(testing::StartsWith("digraph "), HasSubstr(" -> "), EndsWith("}\n")));
  const auto json = json_of(run({"graph", "vote.toml", "--format", "dot", "--json"}).out);
  EXPECT_EQ(at(json, "/graph"), dot.out);
  EXPECT_EQ(run({"graph", "absent"}).code, 2);
}

TEST_F(cli_look_test, graph_draws_how_far_a_run_is) {
  write("stages.toml",
        "name = 'stages'\n[[step]]\nid = 'first'\nfunction = 'probe.echo'\nnext = 'broken'\n"
        "[[step]]\nid = 'broken'\nfunction = 'probe.fail'\nargs = { times = 9, class = 'permanent' }\nnext = 'late'\n"
        "[[step]]\nid = 'late'\nfunction = 'probe.echo'\n");
  EXPECT_EQ(run({"run", "stages.toml", "-q", "--run-id", "r1"}).code, 1);
  EXPECT_EQ(run({"graph", "r1"}).out,
            R"(flowchart TD
  s0(["first<br/>probe.echo#40;#41;<br/>completed"])
  s1["broken<br/>probe.fail#40;#41;<br/>failed"]
  s2["late<br/>probe.echo#40;#41;"]
  s0 --> s1
  s1 --> s2
  classDef unreached fill:#ffffff,stroke:#adb5bd,color:#000000,stroke-dasharray:4
  class s2 unreached
  classDef completed fill:#d3f9d8,stroke:#2b8a3e,color:#000000
  class s0 completed
  classDef failed fill:#ffe3e3,stroke:#c92a2a,color:#000000
  class s1 failed
)");
  EXPECT_THAT(run({"graph", "last", "--format", "dot"}).out,
              HasSubstr("s1 [label=\"broken\\nprobe.fail()\\nfailed\", style="));
}

}  // namespace
}  // namespace troupe
