// What a person is told of a run: who answered, why it failed, what it waits for, and what can be done next.
#include "tests/support/cli_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class cli_told_test : public cli_fixture {
 protected:
  /// Over three elements; `b` fails.
  void write_map() const {
    write("troupe.toml",
          "[agents.each]\ncommand = ['/bin/sh', '-c', 'read x; case $x in b) exit 3;; *) echo $x;; esac']\n");
    write("map.toml", R"(
name = "map"
[state.letters]
initial = ["a", "b", "c"]
reduce = "last"
[[step]]
id = "each"
map = { over = "/letters", as = "letter", agent = "each" }
prompt = "{{letter}}\n"
retry = { max_attempts = 1 }
)");
  }

  /// One after the other.
  void write_steps(const std::string& limits = "") const {
    write("steps.toml", "name = 'steps'\n" + limits + R"(
[[step]]
id = "one"
function = "probe.set"
args = { field = "x", value = 1 }
next = "two"
[[step]]
id = "two"
function = "probe.set"
args = { field = "y", value = 1 }
)");
  }

  /// A map over a workflow that asks.
  void write_asking_children() const {
    write("child.toml", R"(
name = "child"
[inputs.file]
[[step]]
id = "q"
gate = { prompt = "Fine?" }
)");
    write("parent.toml", R"(
name = "parent"
[state.files]
initial = ["x"]
reduce = "last"
[[step]]
id = "each"
map = { over = "/files", as = "file", workflow = "child.toml" }
)");
  }

  void write_gate(const std::string& gate) const {
    write("gate.toml", "name = 'gate'\n[[step]]\nid = 'ask'\ngate = { " + gate + " }\n");
  }

  void write_failing() const {
    write("fail.toml", R"(
name = "fail"
[[step]]
id = "go"
function = "probe.set"
args = { field = "x", value = 1 }
next = [ { to = "end", when = { path = "/x", eq = 2 } } ]
[[step]]
id = "end"
function = "probe.set"
args = { field = "y", value = 1 }
)");
  }
};

TEST_F(cli_told_test, of_a_map_who_did_not_answer_is_named_by_element) {
  write_map();
  const auto failed = run({"run", "map.toml", "--run-id", "r1"});
  EXPECT_EQ(failed.code, 1);
  for (const auto& told : {failed.out, run({"show", "r1"}).out}) {
    EXPECT_THAT(told,
                AllOf(HasSubstr("2 of 3 answered, 3 needed"),
                      HasSubstr("each[1] is missing: AGENT_EXIT"),
                      Not(HasSubstr("each[0]"))));
  }
}

TEST_F(cli_told_test, quiet_says_why_it_failed_in_one_line) {
  write_failing();
  const auto failed = run({"run", "fail.toml", "-q"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, MatchesRegex("error: NO_ROUTE in go: [^\n]*\n"));
  write("good.toml", "name = 'good'\n[[step]]\nid = 'go'\nfunction = 'probe.set'\nargs = { field = 'x', value = 1 }\n");
  const auto good = run({"run", "good.toml", "-q"});
  EXPECT_EQ(good.err, "");
  EXPECT_EQ(good.out, "1\n");
}

TEST_F(cli_told_test, what_a_child_asks_is_told_of_its_parent) {
  write_asking_children();
  const auto waiting = run({"run", "parent.toml", "--run-id", "p1"});
  ASSERT_EQ(waiting.code, 4) << waiting.err;
  run_filter filter;
  filter.child_of = run_id{"p1"};
  const auto child = stored()->list_runs(filter)->front().run.str();
  const std::string command = "troupe approve " + child + " q";
  EXPECT_THAT(waiting.out, AllOf(HasSubstr("child run " + child + " asks:"), HasSubstr("Fine?"), HasSubstr(command)));
  EXPECT_THAT(waiting.err, HasSubstr("afterwards go on with: troupe resume p1"));
  EXPECT_THAT(run({"show", "p1"}).out,
              AllOf(HasSubstr(command), HasSubstr(child + " is paused"), Not(HasSubstr("CANCELLED"))));
  EXPECT_EQ(at(json_of(run({"show", "p1", "--json"}).out), "/gates/0/run"), child);
  EXPECT_THAT(run({"pending"}).out, HasSubstr("a child of p1"));
  EXPECT_THAT(run({"approve", "p1", "q"}).err, HasSubstr("its child run does: " + command));
  const auto approved = run({"approve", child, "q"});
  ASSERT_EQ(approved.code, 0) << approved.err;
  EXPECT_THAT(approved.err, HasSubstr("go on with: troupe resume p1"));
  EXPECT_EQ(run({"resume", "p1"}).code, 0);
}

TEST_F(cli_told_test, an_edit_that_is_a_slip_is_refused_before_anything_is_decided) {
  write("gate.toml",
        "name = 'gate'\n[state.title]\ninitial = 'Draft'\nreduce = 'last'\n[state.n]\ninitial = 0\nreduce = 'sum'\n"
        "[[step]]\nid = 'ask'\ngate = { prompt = 'Fine?' }\n");
  ASSERT_EQ(run({"run", "gate.toml", "--run-id", "r1"}).code, 4);
  const auto slip = run({"approve", "r1", "ask", "--edit", R"({"tittle":"Better"})"});
  EXPECT_EQ(slip.code, 2);
  EXPECT_THAT(slip.err, AllOf(HasSubstr("'tittle'"), HasSubstr("did you mean 'title'?")));
  EXPECT_THAT(run({"approve", "r1", "ask", "--edit", R"({"n":"abc"})"}).err, HasSubstr("wants a number"));
  EXPECT_EQ(stored()->list_gates(run_id{"r1"})->front().decisions.size(), 0U);
  EXPECT_EQ(run({"approve", "r1", "ask", "--edit", R"({"title":"Better"})"}).code, 0);
}

TEST_F(cli_told_test, supersteps_have_their_numbers) {
  write_gate("prompt = 'Fine?'");
  write_steps();
  ASSERT_EQ(run({"run", "steps.toml", "--run-id", "r1"}).code, 0);
  EXPECT_THAT(run({"show", "r1"}).out, AllOf(HasSubstr("NO  STEP"), HasSubstr("\n 1  one"), HasSubstr("\n 2  two")));
  EXPECT_THAT(run({"logs", "r1"}).out, AllOf(HasSubstr("no. 1, wrote x"), HasSubstr("no. 2, wrote y")));
}

TEST_F(cli_told_test, a_decided_gate_is_too_late_for_another_decision) {
  write_gate("prompt = 'Fine?'");
  ASSERT_EQ(run({"run", "gate.toml", "--run-id", "r1"}).code, 4);
  ASSERT_EQ(run({"approve", "r1", "ask", "--as", "ann"}).code, 0);
  const auto late = json_of(run({"approve", "r1", "ask", "--as", "bob", "--json"}).out);
  EXPECT_EQ(at(late, "/error/code"), "IDEMPOTENCY_VIOLATION");
  EXPECT_THAT(at(late, "/error/hint"), HasSubstr("troupe show r1"));
}

TEST_F(cli_told_test, voters_are_asked_to_say_who_they_are) {
  write_gate("prompt = 'Fine?', votes = 2, voters = ['ann', 'bob']");
  ASSERT_EQ(run({"run", "gate.toml", "--run-id", "r1"}).code, 4);
  EXPECT_THAT(run({"pending"}).out,
              AllOf(HasSubstr("troupe approve r1 ask --as WHO\n"), HasSubstr("ann and bob: say who you are")));
  ASSERT_EQ(run({"approve", "r1", "ask", "--as", "ann"}).code, 0);
  EXPECT_THAT(run({"pending"}).out, HasSubstr("troupe approve r1 ask --as bob --reject\n"));
}

TEST_F(cli_told_test, a_level_of_several_is_said) {
  write_gate("levels = [ { prompt = 'Fine?' }, { prompt = 'Really?' } ]");
  const auto waiting = run({"run", "gate.toml", "--run-id", "r1"});
  ASSERT_EQ(waiting.code, 4) << waiting.err;
  EXPECT_THAT(run({"approve", "r1", "ask"}).err, HasSubstr("gate 'ask' of run r1, level 1 of 2, is approved"));
}

TEST_F(cli_told_test, a_limit_says_how_the_run_itself_goes_on) {
  write_steps("[limits]\nmax_steps = 1\n");
  const auto ended = run({"run", "steps.toml", "--run-id", "r1"});
  EXPECT_EQ(ended.code, 6);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("troupe fork r1 --at NO"), HasSubstr("for runs that begin later")));
  EXPECT_EQ(run({"fork", "r1", "--at", "1", "--run-id", "r2"}).code, 0) << "as it says";
}

TEST_F(cli_told_test, one_field_has_its_name) {
  write("list.toml",
        "name = 'list'\n[[step]]\nid = 'go'\nfunction = 'probe.set'\nargs = { field = 'x', value = ['a'] }\n");
  const auto ended = run({"run", "list.toml", "--run-id", "r1"});
  EXPECT_THAT(ended.out, HasSubstr("x:\n  - a\n"));
  EXPECT_EQ(run({"show", "r1", "-q"}).out, "- a\n") << "data alone";
}

TEST_F(cli_told_test, a_slip_of_an_argument_is_no_silence) {
  write_map();
  write("topic.toml",
        "name = 'topic'\n[inputs.topic]\nrequired = true\n[[step]]\nid = 'go'\nfunction = 'probe.set'\nargs = { field "
        "= 'x', value = 1 }\n");
  const auto agent = run({"run", "map.toml", "--agent", "eahc=true"});
  EXPECT_EQ(agent.code, 2);
  EXPECT_THAT(agent.err, AllOf(HasSubstr("no step of the workflow asks"), HasSubstr("did you mean 'each'?")));
  const auto twice = run({"run", "topic.toml", "--input", "topic=a", "--input", "topic=b"});
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("'topic' is given twice"));
  const auto wrong = run({"run", "topic.toml", "--input", "tpic=x"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("'topic' is required"), HasSubstr("no input 'tpic'")));
  ASSERT_EQ(run({"run", "map.toml", "--run-id", "r1"}).code, 1);
  const auto step = run({"logs", "r1", "eahc"});
  EXPECT_EQ(step.code, 2);
  EXPECT_THAT(step.err, AllOf(HasSubstr("has no step 'eahc'"), HasSubstr("did you mean 'each'?")));
  EXPECT_EQ(run({"show", ""}).code, 2);
}

TEST_F(cli_told_test, help_is_found_where_it_is_looked_for) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "run"}).out, run({"run", "--help"}).out);
  const auto unknown = run({"nosuch", "--help"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no command 'troupe nosuch'"));
}

TEST_F(cli_told_test, what_opens_no_database_needs_no_place_for_one) {
  write_failing();
  const variables nowhere{{"HOME", ""}, {"XDG_STATE_HOME", ""}};
  EXPECT_EQ(run({"check", "fail.toml"}, nowhere).code, 0) << run({"check", "fail.toml"}, nowhere).err;
  EXPECT_THAT(run({"graph", "fail.toml"}, nowhere).out, StartsWith("flowchart"));
  EXPECT_EQ(run({"runs"}, nowhere).code, 2);
}

TEST_F(cli_told_test, to_ask_for_all_adds_nothing_to_what_only_waits) {
  write_gate("prompt = 'Fine?'");
  ASSERT_EQ(run({"run", "gate.toml", "--run-id", "r1"}).code, 4);
  const auto before = run_of("r1").last_seq;
  const auto all = run({"resume", "--all"});
  EXPECT_EQ(all.code, 4);
  EXPECT_THAT(all.out, HasSubstr("troupe approve r1 ask"));
  EXPECT_EQ(run_of("r1").last_seq, before);
  ASSERT_EQ(run({"approve", "r1", "ask"}).code, 0);
  EXPECT_EQ(run({"resume", "--all"}).code, 0);
}

TEST_F(cli_told_test, a_cancelled_child_makes_a_failed_parent) {
  write_asking_children();
  ASSERT_EQ(run({"run", "parent.toml", "--run-id", "p1"}).code, 4);
  run_filter filter;
  filter.child_of = run_id{"p1"};
  ASSERT_EQ(run({"cancel", stored()->list_runs(filter)->front().run.str()}).code, 0);
  EXPECT_EQ(run({"resume", "p1"}).code, 1);
  EXPECT_EQ(run_of("p1").state, run_state::failed);
}

TEST_F(cli_told_test, a_cancelled_run_says_how_its_work_is_gone_on_with) {
  write("troupe.toml", "[agents.slow]\n" + scripted({"hang"}));
  write("slow.toml",
        "name = 'slow'\n[[step]]\nid = 'one'\nfunction = 'probe.set'\nargs = { field = 'x', value = 1 }\nnext = 'ask'\n"
        "[[step]]\nid = 'ask'\nagent = 'slow'\nprompt = 'x'\n");
  auto running = start({"run", "slow.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("ask/slow"));
  const auto shown = run({"show", "r1"}).out;
  EXPECT_THAT(shown, HasSubstr("1 task in 1 superstep, 1 under way"));
  const auto beside = run({"resume", "r1"});
  EXPECT_EQ(beside.code, 8);
  EXPECT_THAT(beside.err,
              AllOf(HasSubstr("run r1 is being carried out already"), HasSubstr("troupe logs r1 --follow")));
  running.signal(2);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("troupe fork r1 --at 1"));
}

}  // namespace
}  // namespace troupe
