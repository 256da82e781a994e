// Runs that ask people: what is shown, who decides, from where, how often, and what becomes of the run.
#include "storage/lease.hpp"
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <thread>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_gates_test : public cli_fixture {
 protected:
  /// survey, then the gate, then merge or plan, as it is decided.
  void write_review(const std::string& gate = R"(prompt = "Merge {{state.title}}?")") const {
    write("review.toml", R"(
name = "review"
[[step]]
id = "survey"
function = "probe.set"
args = { field = "title", value = "Draft" }
next = "approve"
[[step]]
id = "approve"
gate = { )" + gate + R"( }
next = [ { to = "merge", when = { path = "/approve/decision", eq = "approved" } }, { to = "plan" } ]
[[step]]
id = "merge"
function = "probe.set"
args = { field = "merged", value = true }
[[step]]
id = "plan"
function = "probe.set"
args = { field = "planned", value = true }
)");
  }

  cli_result start_waiting(const std::string& id = "r1") const {
    auto waiting = run({"run", "review.toml", "--run-id", id});
    EXPECT_EQ(waiting.code, 4) << waiting.err;
    return waiting;
  }

  std::string state() const { return std::string{to_string(run_of("r1").state)}; }

  /// After `resume`, which has to end so.
  boost::json::value resumed(int code) const {
    const auto ended = run({"resume", "r1", "--json"});
    EXPECT_EQ(ended.code, code) << ended.out;
    return json_of(ended.out);
  }

  gate_view gate(std::size_t which = 0) const { return stored()->list_gates(run_id{"r1"})->at(which); }
};

TEST_F(cli_gates_test, nothing_waits_where_there_is_nothing) {
  EXPECT_EQ(run({"pending"}).code, 0);
  EXPECT_EQ(run({"pending", "--json"}).out, "{\"pending\":[]}\n");
  EXPECT_EQ(run({"approve", "r1", "approve"}).code, 2);
}

TEST_F(cli_gates_test, a_run_says_what_it_waits_for_and_how_to_decide_it) {
  write_review(R"(prompt = "Merge {{state.title}}?", expires = "24h", on_expiry = "reject")");
  const auto waiting = start_waiting();
  EXPECT_THAT(waiting.out,
              AllOf(HasSubstr("review  paused"),
                    HasSubstr("? approve"),
                    HasSubstr("Merge Draft?"),
                    HasSubstr("in 23h59m, then it is rejected"),
                    HasSubstr("troupe approve r1 approve\n"),
                    HasSubstr("troupe approve r1 approve --reject\n")));
  EXPECT_THAT(waiting.err,
              AllOf(HasSubstr("gate.opened"),
                    HasSubstr("Merge Draft?, expires in 1d00h"),
                    HasSubstr("waits for a decision"),
                    HasSubstr("1 decision is waited for; afterwards go on with: troupe resume r1")));
  EXPECT_EQ(state(), "paused");
  for (const words& look : {words{"pending"}, words{"show", "r1"}}) {
    EXPECT_THAT(run(look).out, AllOf(HasSubstr("Merge Draft?"), HasSubstr("troupe approve r1 approve --reject")));
  }
  EXPECT_EQ(run({"pending", "-q"}).out, "r1 approve\n");
  const auto pending = json_of(run({"pending", "--json"}).out);
  EXPECT_EQ(at(pending, "/pending/0/run"), "r1");
  EXPECT_EQ(at(pending, "/pending/0/prompt"), "Merge Draft?");
  EXPECT_EQ(at(pending, "/pending/0/on_expiry"), "reject");
  EXPECT_EQ(at(pending, "/pending/0/workflow"), "review");
  EXPECT_EQ(at(json_of(run({"show", "r1", "--json"}).out), "/gates/0/state"), "open");
}

TEST_F(cli_gates_test, approved_it_goes_on) {
  write_review();
  start_waiting();
  const auto approved = run({"approve", "r1", "approve", "--as", "ann", "--comment", "well done"});
  EXPECT_EQ(approved.code, 0);
  EXPECT_THAT(approved.err,
              AllOf(HasSubstr("gate 'approve' of run r1 is approved"), HasSubstr("go on with: troupe resume r1")));
  EXPECT_EQ(state(), "paused") << "nobody carries it out";
  EXPECT_THAT(run({"pending"}).err, HasSubstr("nothing waits for a decision"));
  const auto done = resumed(0);
  EXPECT_EQ(at(done, "/result/merged"), "true");
  EXPECT_EQ(at(done, "/result/approve/comment"), "well done");
  const auto shown = json_of(run({"show", "r1", "--json"}).out);
  EXPECT_EQ(at(shown, "/gates/0/state"), "approved");
  EXPECT_EQ(at(shown, "/gates/0/decisions/0/by"), "ann");
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("ann approved at"));
  EXPECT_THAT(run({"logs", "r1"}).out, HasSubstr("approved by ann: well done"));
}

TEST_F(cli_gates_test, rejected_it_takes_the_other_way) {
  write_review();
  start_waiting();
  EXPECT_EQ(run({"approve", "last", "approve", "--reject"}).code, 0);
  EXPECT_EQ(gate().state, gate_state::rejected);
  EXPECT_FALSE(gate().decisions.front().by.empty()) << "the login name";
  const auto done = resumed(0);
  EXPECT_EQ(at(done, "/result/planned"), "true");
  EXPECT_EQ(at(done, "/result/merged"), "nothing");
}

TEST_F(cli_gates_test, an_edit_comes_with_the_decision) {
  write_review();
  write("review.toml", file_text(path("review.toml")) + "[state.note]\nreduce = 'last'\n");
  start_waiting();
  for (const std::string wrong : {"[1]", "{", "@absent.json"}) {
    EXPECT_EQ(run({"approve", "r1", "approve", "--edit", wrong}).code, 2) << wrong;
  }
  EXPECT_EQ(gate().state, gate_state::open);
  write("edit.json", R"({"title": "Better", "note": {"by": "ann"}})");
  EXPECT_EQ(run({"approve", "r1", "approve", "--edit", "@edit.json"}).code, 0);
  const auto done = resumed(0);
  EXPECT_EQ(at(done, "/result/title"), "Better");
  EXPECT_EQ(at(done, "/result/note/by"), "ann");
}

TEST_F(cli_gates_test, a_decision_given_twice_is_taken_once) {
  write_review();
  start_waiting();
  ASSERT_EQ(run({"approve", "r1", "approve", "--as", "ann"}).code, 0);
  const auto again = run({"approve", "r1", "approve", "--as", "ann", "--json"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(at(json_of(again.out), "/repeated"), "true");
  const auto otherwise = run({"approve", "r1", "approve", "--as", "ann", "--reject"});
  EXPECT_EQ(otherwise.code, 2);
  EXPECT_THAT(otherwise.err, HasSubstr("ann has decided on gate 'approve' of run r1 already: approved at "));
  const auto other = run({"approve", "r1", "approve", "--as", "bob", "--reject", "--json"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(at(json_of(other.out), "/error/message"), HasSubstr("is approved by ann at 20"));
  EXPECT_EQ(gate().decisions.size(), 1U);
  EXPECT_EQ(at(resumed(0), "/result/merged"), "true");
}

TEST_F(cli_gates_test, two_of_three_votes) {
  write_review(R"(prompt = "Merge?", votes = 2, voters = ["ann", "bob", "cid"])");
  start_waiting();
  const auto stranger = run({"approve", "r1", "approve", "--as", "eve"});
  EXPECT_EQ(stranger.code, 2);
  EXPECT_THAT(stranger.err, AllOf(HasSubstr("'eve' has no vote"), HasSubstr("ann, bob, cid")));
  const auto first = run({"approve", "r1", "approve", "--as", "ann"});
  EXPECT_THAT(first.err, AllOf(HasSubstr("has 1 of 2 votes"), Not(HasSubstr("troupe resume"))));
  EXPECT_THAT(run({"pending"}).out,
              AllOf(HasSubstr("1 of 2 votes"), HasSubstr("ann approved"), HasSubstr("ann, bob and cid")));
  const auto still = run({"resume", "r1"});
  EXPECT_EQ(still.code, 4);
  EXPECT_THAT(still.out, HasSubstr("1 of 2 votes"));
  ASSERT_EQ(run({"approve", "r1", "approve", "--as", "bob", "--reject"}).code, 0);
  EXPECT_EQ(gate().state, gate_state::open);
  ASSERT_EQ(run({"approve", "r1", "approve", "--as", "cid"}).code, 0);
  EXPECT_EQ(at(resumed(0), "/result/approve/by"), R"(["ann","cid"])");
}

TEST_F(cli_gates_test, what_asks_nothing_is_refused_with_what_does) {
  write_review();
  start_waiting();
  const auto nowhere = run({"approve", "r1", "merge"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("asks nothing at 'merge'"), HasSubstr("approve")));
  EXPECT_EQ(run({"approve", "r1", "approve", "--level", "2"}).code, 2);
  EXPECT_EQ(run({"approve", "r1", "approve", "--superstep", "9"}).code, 2);
  ASSERT_EQ(run({"approve", "r1", "approve", "--level", "1", "--superstep", "2"}).code, 0);
}

// The title is edited beside the gate: what was looked at is no longer what would be approved.
TEST_F(cli_gates_test, a_changed_action_asks_again) {
  write("bound.toml", R"(
name = "bound"
[[step]]
id = "survey"
function = "probe.set"
args = { field = "title", value = "Draft" }
next = ["approve", "edit"]
[[step]]
id = "approve"
gate = { prompt = "Publish {{state.title}}?", action = "/title" }
[[step]]
id = "edit"
function = "probe.set"
args = { field = "title", value = "Scandal" }
)");
  const auto waiting = run({"run", "bound.toml", "--run-id", "r1"});
  ASSERT_EQ(waiting.code, 4);
  const std::string seen = gate().asked.action_hash;
  EXPECT_THAT(waiting.out, HasSubstr("troupe approve r1 approve --action " + seen));
  ASSERT_EQ(run({"approve", "r1", "approve", "--action", seen}).code, 0);
  EXPECT_EQ(at(resumed(4), "/gates/0/prompt"), "Publish Scandal?");
  const std::string now = gate(1).asked.action_hash;
  EXPECT_NE(now, seen);
  const auto old = run({"approve", "r1", "approve", "--action", seen});
  EXPECT_EQ(old.code, 2);
  EXPECT_THAT(old.err, AllOf(HasSubstr(seen), HasSubstr(now)));
  ASSERT_EQ(run({"approve", "r1", "approve", "--action", now}).code, 0);
  EXPECT_EQ(at(resumed(0), "/state"), "completed");
}

TEST_F(cli_gates_test, resume_all_goes_past_who_still_waits) {
  write_review();
  start_waiting("r1");
  start_waiting("r2");
  ASSERT_EQ(run({"approve", "r2", "approve"}).code, 0);
  const auto all = run({"resume", "--all", "--json"});
  EXPECT_EQ(all.code, 4);
  const auto ended = json_lines_of(all.out);
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(at(ended[0], "/state"), "paused");
  EXPECT_EQ(at(ended[1], "/state"), "completed");
}

// Each of them has the database for a moment: who comes second waits for it, and is told who was first.
TEST_F(cli_gates_test, several_who_decide_at_once_are_told_who_did) {
  write_review();
  start_waiting();
  auto ann = start({"approve", "r1", "approve", "--as", "ann"});
  auto bob = start({"approve", "r1", "approve", "--as", "bob"});
  auto cid = start({"approve", "r1", "approve", "--as", "cid"});
  int won = 0;
  for (auto* each : {&ann, &bob, &cid}) {
    const auto ended = each->wait();
    won += ended.code == 0 ? 1 : 0;
    if (ended.code != 0) {
      EXPECT_EQ(ended.code, 2) << ended.err;
      EXPECT_THAT(ended.err, HasSubstr("approved by"));
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(gate().decisions.size(), 1U);
}

TEST_F(cli_gates_test, several_who_cancel_at_once_wait_for_each_other) {
  write_review();
  for (const auto* id : {"r1", "r2", "r3"}) {
    start_waiting(id);
  }
  auto one = start({"cancel", "r1"});
  auto two = start({"cancel", "r2"});
  auto three = start({"cancel", "r3"});
  for (auto* each : {&one, &two, &three}) {
    const auto ended = each->wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
  }
  for (const auto* id : {"r1", "r2", "r3"}) {
    EXPECT_EQ(run_of(id).state, run_state::cancelled);
  }
}

// Nobody is there when the time comes: neither a person nor a process.
TEST_F(cli_gates_test, what_expired_while_no_process_ran_takes_effect_when_somebody_goes_on) {
  struct expiry_case {
    std::string gate;
    int code;
    std::string pointer;
    std::string value;
  };
  const std::map<std::string, expiry_case> cases{
      {"approve", {"", 0, "/result/merged", "true"}},
      {"reject", {"", 0, "/result/planned", "true"}},
      {"fail", {"", 1, "/error/code", "TASK_TIMEOUT"}},
      {"escalate",
       {", levels = [{ prompt = 'First?', expires = '2s', on_expiry = 'escalate' }, { prompt = 'Boss?' }]",
        4,
        "/state",
        "paused"}},
  };
  for (const auto& [policy, expected] : cases) {
    write_review(expected.gate.empty() ? "prompt = 'Merge?', expires = '2s', on_expiry = '" + policy + "'"
                                       : expected.gate.substr(2));
    start_waiting(policy);
  }
  std::this_thread::sleep_until(
      stored()->list_gates(run_id{"reject"})->at(0).expires_at.value());  // the last that began
  for (const auto& [policy, expected] : cases) {
    SCOPED_TRACE(policy);
    EXPECT_EQ(run_of(policy).state, run_state::paused) << "nobody has gone on with it";
    const auto ended = run({"resume", policy, "--json"});
    EXPECT_EQ(ended.code, expected.code) << ended.err;
    EXPECT_EQ(at(json_of(ended.out), expected.pointer), expected.value);
  }
  EXPECT_THAT(run({"pending"}).out, AllOf(HasSubstr("Boss?"), Not(HasSubstr("First?")), Not(HasSubstr("Merge?"))));
  ASSERT_EQ(run({"approve", "escalate", "approve"}).code, 0);
  EXPECT_EQ(at(json_of(run({"resume", "escalate", "--json"}).out), "/result/merged"), "true");
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

TEST_F(cli_gates_test, pending_puts_what_one_run_asks_together) {
  write("two.toml", R"(
name = "two"
start = "begin"
[[step]]
id = "begin"
function = "probe.set"
args = { field = "n", value = 1 }
next = ["left", "right"]
[[step]]
id = "left"
gate = { prompt = "Left?" }
[[step]]
id = "right"
gate = { prompt = "Right?" }
)");
  ASSERT_EQ(run({"run", "two.toml", "--run-id", "r1", "--subject", "SPEC-7"}).code, 4);
  ASSERT_EQ(run({"run", "two.toml", "--run-id", "r2"}).code, 4);
  const auto told = run({"pending"}).out;
  EXPECT_THAT(told, AllOf(HasSubstr("SPEC-7"), HasSubstr("Left?"), HasSubstr("Right?")));
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    for (auto at = told.find(text); at != std::string::npos; at = told.find(text, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("two"), 2U) << told;
  EXPECT_EQ(count("Left?"), 2U);
}

class cli_live_gates_test : public cli_gates_test {
 protected:
  void SetUp() override {
    write("beside.toml", R"(
name = "beside"
[[step]]
id = "start"
function = "probe.set"
args = { field = "n", value = 1 }
next = ["approve", "wait"]
[[step]]
id = "approve"
gate = { prompt = "Go on?" }
next = "merge"
[[step]]
id = "wait"
agent = "held"
on_crash = "ask"
[[step]]
id = "merge"
function = "probe.set"
args = { field = "merged", value = true }
)");
    write("troupe.toml", "[runtime]\ndrain_timeout = '0ms'\nkill_grace = '10s'\n[agents.held]\n" + held_.command());
  }

  latch held_{path("latch")};
};

TEST_F(cli_live_gates_test, who_carries_the_run_out_is_told_and_goes_on) {
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto approved = run({"approve", "r1", "approve", "--as", "ann"});
  EXPECT_EQ(approved.code, 0) << approved.err;
  EXPECT_THAT(approved.err, HasSubstr("the process that carries the run out goes on with it"));
  EXPECT_TRUE(running.wait_for("approved by ann"));
  const auto again = json_of(run({"approve", "r1", "approve", "--as", "ann", "--json"}).out);
  EXPECT_EQ(at(again, "/repeated"), "true");
  EXPECT_EQ(at(again, "/carried_out"), "true");
  const auto other = run({"approve", "r1", "approve", "--as", "bob"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("approved by ann"));
  held_.let_go();
  EXPECT_EQ(running.wait().code, 0);
  EXPECT_THAT(run_of("r1").result.str(), HasSubstr(R"("merged":true)"));
}

TEST_F(cli_live_gates_test, the_live_display_shows_what_waits_beside_what_runs) {
  auto running = start_on_terminal({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("approve  Go on?"));
  ASSERT_EQ(run({"approve", "r1", "approve"}).code, 0);
  held_.let_go();
  EXPECT_EQ(running.wait().code, 0);
}

TEST_F(cli_live_gates_test, cancel_reaches_the_process_that_carries_the_run_out) {
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto cancelled = run({"cancel", "r1"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_THAT(cancelled.err, AllOf(HasSubstr("cancelling"), HasSubstr("run r1 is cancelled")));
  EXPECT_EQ(running.wait().code, 5);
  EXPECT_EQ(state(), "cancelled");
  EXPECT_EQ(gate().state, gate_state::cancelled);
}

TEST_F(cli_live_gates_test, cancel_now_kills) {
  write("troupe.toml",
        "[runtime]\nkill_grace = '1h'\n[agents.held]\n" + scripted({"ignore-term", "complain", "deaf\n", "hang"}));
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto cancelled = json_of(run({"cancel", "r1", "--now", "--json"}).out);
  EXPECT_EQ(at(cancelled, "/state"), "cancelled");
  EXPECT_EQ(running.wait().code, 5);
}

// A run that waits, in the database of a process that carries out another one.
TEST_F(cli_live_gates_test, what_another_process_does_not_carry_out_is_decided_and_cancelled_all_the_same) {
  write_review();
  ASSERT_EQ(run({"run", "review.toml", "--run-id", "r-other"}).code, 4);
  ASSERT_EQ(run({"run", "review.toml", "--run-id", "r-third"}).code, 4);
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  const auto approved = run({"approve", "r-other", "approve"});
  EXPECT_EQ(approved.code, 0) << approved.err;
  EXPECT_THAT(approved.err, HasSubstr("go on with: troupe resume r-other"));
  EXPECT_EQ(run_of("r-other").state, run_state::paused);
  EXPECT_EQ(run({"cancel", "r-third"}).code, 0);
  EXPECT_EQ(run_of("r-third").state, run_state::cancelled);
  held_.let_go();
  EXPECT_EQ(running.wait().code, 4) << "its own gate";
}

// A writer that cannot write: somebody else holds the file.
TEST_F(cli_live_gates_test, a_decision_that_nobody_answers_is_said_again_and_taken_once) {
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  ASSERT_TRUE(running.wait_for("gate.opened"));
  SQLite::Database other{database_path(), SQLite::OPEN_READWRITE};
  other.exec("BEGIN IMMEDIATE");
  auto approving = start({"approve", "r1", "approve", "--as", "ann"});
  const auto unknown = approving.wait();
  EXPECT_EQ(unknown.code, 7) << unknown.err;
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("the decision may have been taken"), HasSubstr("say it again")));
  EXPECT_EQ(run({"doctor", "--actors"}).code, 0) << "it can be asked all the same";
  other.exec("ROLLBACK");
  EXPECT_EQ(run({"approve", "r1", "approve", "--as", "ann"}).code, 0);
  EXPECT_EQ(gate().decisions.size(), 1U);
  held_.let_go();
  EXPECT_EQ(running.wait().code, 0);
}

TEST_F(cli_live_gates_test, a_decision_beside_a_process_that_cannot_be_told_is_refused) {
  write_review();
  start_waiting();
  storage_options storage;
  storage.path = database_path();
  const auto held = lease::acquire(storage, {::getpid(), "here", {}});
  ASSERT_TRUE(held);
  const auto refused = run({"approve", "r1", "approve"});
  EXPECT_EQ(refused.code, 8);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("process " + std::to_string(::getpid())), HasSubstr("kill -INT")));
  EXPECT_EQ(gate().state, gate_state::open);
}

TEST_F(cli_live_gates_test, cancel_does_not_wait_for_ever) {
  write("troupe.toml",
        "[runtime]\nkill_grace = '1h'\n[agents.held]\n"
        "command = ['/bin/sh', '-c', 'trap \"\" TERM; : > deaf; sleep 1000']\n");
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  ASSERT_TRUE(becomes_true([&] { return ::access(path("deaf").c_str(), F_OK) == 0; }));
  EXPECT_EQ(run({"cancel", "r1", "--timeout", "soon"}).code, 2);
  const auto waited = run({"cancel", "r1", "--timeout", "50ms"});
  EXPECT_EQ(waited.code, 8);
  EXPECT_THAT(waited.err,
              AllOf(HasSubstr("run r1 has not ended yet: wait/held is at work"), HasSubstr("troupe cancel r1 --now")));
  EXPECT_EQ(run({"cancel", "r1", "--now"}).code, 0);
  EXPECT_EQ(running.wait().code, 5);
}

class cli_interrupted_test : public cli_live_gates_test {
 protected:
  /// A task was cut off by SIGKILL of its process, and on_crash = "ask".
  void kill_and_resume() {
    auto running = start({"run", "beside.toml", "--run-id", "r1"});
    ASSERT_TRUE(running.wait_for("wait/held"));
    ASSERT_EQ(run({"approve", "r1", "approve"}).code, 0);
    running.signal(SIGKILL);
    EXPECT_EQ(running.wait().code, 128 + SIGKILL);
    const auto asked = run({"resume", "r1"});
    EXPECT_EQ(asked.code, 4) << asked.err;
    EXPECT_THAT(asked.out,
                AllOf(HasSubstr("was cut off"),
                      HasSubstr("troupe approve r1 wait\n"),
                      HasSubstr("troupe approve r1 wait --reject\n")));
  }
};

// No on_crash: what the step says of its effects decides.
TEST_F(cli_interrupted_test, of_an_external_step_pending_shows_both_choices) {
  write("beside.toml", R"(
name = "beside"
[[step]]
id = "wait"
agent = "held"
effects = "external"
)");
  auto running = start({"run", "beside.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("wait/held"));
  running.signal(SIGKILL);
  EXPECT_EQ(running.wait().code, 128 + SIGKILL);
  EXPECT_THAT(run({"pending"}).err, HasSubstr("nothing waits for a decision")) << "nobody has gone on with it";
  ASSERT_EQ(run({"resume", "r1"}).code, 4);
  EXPECT_THAT(run({"pending"}).out,
              AllOf(HasSubstr("was cut off"),
                    HasSubstr("troupe approve r1 wait\n"),
                    HasSubstr("troupe approve r1 wait --reject\n")));
  const auto listed = json_of(run({"pending", "--json"}).out);
  EXPECT_EQ(at(listed, "/pending/0/kind"), "crash");
  EXPECT_EQ(at(listed, "/pending/0/task"), tasks_of("r1").at(0).task.str());
  ASSERT_EQ(run({"approve", "r1", "wait"}).code, 0);
  held_.let_go();
  EXPECT_EQ(at(resumed(0), "/result/wait"), "go");
}

TEST_F(cli_interrupted_test, approved_the_task_runs_again) {
  kill_and_resume();
  ASSERT_EQ(run({"approve", "r1", "wait"}).code, 0);
  held_.let_go();
  EXPECT_EQ(at(resumed(0), "/result/wait"), "go");
  EXPECT_EQ(tasks_of("r1").at(1).attempt, attempt_no{2});
}

TEST_F(cli_interrupted_test, rejected_the_task_fails) {
  kill_and_resume();
  ASSERT_EQ(run({"approve", "r1", "wait", "--reject"}).code, 0);
  EXPECT_EQ(at(resumed(1), "/error/code"), "INTERRUPTED");
  EXPECT_EQ(tasks_of("r1").at(1).attempt, attempt_no{1});
}

}  // namespace
}  // namespace troupe
