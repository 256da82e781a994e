// What people are asked and what they decide, as rows: votes, repeats, what comes too late, what nobody decides.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/gate_material.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class gates_test : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(check_database(place_.options())->size(), 0U); }

  /// A run that begins with this gate beside one task.
  gate_place begin(gate_opening asked = gate_at("approve")) {
    auto first = told.created();
    first.standing.steps = {{step_id{"survey"}, {}}};
    first.gates = {std::move(asked)};
    must_write(*session, first);
    return first.gates.front().place;
  }

  gate_view gate(std::size_t which = 0) { return reader()->list_gates(told.run)->at(which); }

  std::unique_ptr<read_session> reader() { return *read_session::open(place_.options()); }

  result<applied> decide(const gate_place& at, const std::string& by, gate_choice choice = gate_choice::approved) {
    return write_one(*session, decided(told.run, at, by, choice));
  }

  gate_state state_after_expiry(expiry_policy policy) {
    auto asked = gate_at("approve");
    asked.expires = 60s;
    asked.on_expiry = policy;
    const auto at = begin(asked);
    must_write(*session, expire_gate{told.run, at, at_second(90)});
    EXPECT_EQ(gate().closed_at, at_second(90));
    EXPECT_TRUE(gate().decisions.empty());
    return gate().state;
  }

  /// The superstep of the only task, with what follows.
  commit_superstep closed(std::vector<gate_place> taken, std::vector<gate_opening> gates = {}) {
    must_write(*session, told.started(told.task("survey", "claude")));
    must_write(*session, told.finished(told.task("survey", "claude"), "1"));
    auto last = told.committed(1, R"({"findings":[]})", {}, {story::alone("survey", "claude", "1")});
    last.taken = std::move(taken);
    last.gates = std::move(gates);
    last.end = last.gates.empty() ? last.end : std::nullopt;
    return last;
  }

  temporary_database place_;
  std::unique_ptr<write_session> session = writer_on(place_.options());
  story told{"r-1"};
};

TEST_F(gates_test, what_is_asked_comes_back_as_it_was_asked) {
  auto asked = gate_at("approve");
  asked.prompt = "Merge \"it\"?\nReally?";
  asked.action_hash = "sha256:abc";
  asked.votes = 2;
  asked.voters = {"ann", "b\"ob", "čeněk"};
  asked.expires = 90s;
  asked.on_expiry = expiry_policy::escalate;
  begin(asked);
  const auto view = gate();
  EXPECT_EQ(view.run, told.run);
  EXPECT_EQ(view.asked.place, asked.place);
  EXPECT_EQ(view.asked.kind, gate_kind::step);
  EXPECT_EQ(view.asked.path, asked.path);
  EXPECT_EQ(view.asked.prompt, asked.prompt);
  EXPECT_EQ(view.asked.action_hash, asked.action_hash);
  EXPECT_EQ(view.asked.votes, 2);
  EXPECT_EQ(view.asked.voters, asked.voters);
  EXPECT_EQ(view.asked.expires, asked.expires);
  EXPECT_EQ(view.asked.on_expiry, expiry_policy::escalate);
  EXPECT_EQ(view.state, gate_state::open);
  EXPECT_EQ(view.opened_at, at_second(0));
  EXPECT_EQ(view.expires_at, at_second(90));
  EXPECT_FALSE(view.closed_at || view.taken_at);
}

TEST_F(gates_test, a_gate_is_opened_once_and_in_the_open_superstep) {
  const auto at = begin();
  EXPECT_TRUE(must_write(*session, open_gate{told.run, gate_at("other"), at_second(5)}).events.size() == 1U);
  EXPECT_TRUE(must_write(*session, open_gate{told.run, gate_at("other"), at_second(6)}).receipt.repeated);
  EXPECT_EQ(code_of(write_one(*session, open_gate{told.run, gate_at("late", 2), at_second(5)})), error_code::internal);
  auto other_words = gate_at("other");
  other_words.prompt = "Something else?";
  EXPECT_EQ(code_of(write_one(*session, open_gate{told.run, other_words, at_second(7)})),
            error_code::idempotency_violation);
  EXPECT_EQ(code_of(write_one(*session, open_gate{told.run, gate_at("approve"), at_second(7)})), error_code::internal)
      << "opened by the run's first rows: " << at.step.str();
}

TEST_F(gates_test, one_approval_is_enough_where_nothing_else_is_said) {
  const auto at = begin();
  auto yes = decided(told.run, at, "ann");
  yes.decision.comment = "fine";
  yes.decision.state_edit = json_text{R"({"n":1})"};
  const auto written = must_write(*session, yes);
  ASSERT_EQ(written.events.size(), 1U);
  EXPECT_EQ(written.events.front().kind, event_kind::gate_decided);
  EXPECT_EQ(written.events.front().data.str(),
            R"({"approvals":1,"by":"ann","comment":"fine","decision":"approved","edited":true,"level":1,)"
            R"("state":"approved","votes":1})");
  const auto view = gate();
  EXPECT_EQ(view.state, gate_state::approved);
  EXPECT_EQ(view.closed_at, at_second(50));
  ASSERT_EQ(view.decisions.size(), 1U);
  EXPECT_EQ(view.decisions.front().by, "ann");
  EXPECT_EQ(view.decisions.front().comment, "fine");
  EXPECT_EQ(view.decisions.front().state_edit->str(), R"({"n":1})");
  EXPECT_EQ(view.decisions.front().at, at_second(50));
}

TEST_F(gates_test, without_voters_one_rejection_rejects) {
  auto asked = gate_at("approve");
  asked.votes = 3;
  const auto at = begin(asked);
  ASSERT_TRUE(decide(at, "ann"));
  ASSERT_TRUE(decide(at, "bob", gate_choice::rejected));
  EXPECT_EQ(gate().state, gate_state::rejected);
  EXPECT_EQ(gate().decisions.size(), 2U);
}

// Every way in which three voters may come to two votes.
TEST_F(gates_test, two_of_three_voters) {
  struct way {
    std::string votes;  // y or n, in order
    gate_state after;
  };
  int number = 0;
  for (const auto& [votes, after] : std::vector<way>{{"y", gate_state::open},
                                                     {"n", gate_state::open},
                                                     {"yy", gate_state::approved},
                                                     {"yn", gate_state::open},
                                                     {"nn", gate_state::rejected},
                                                     {"yny", gate_state::approved},
                                                     {"nyy", gate_state::approved},
                                                     {"ynn", gate_state::rejected},
                                                     {"nyn", gate_state::rejected}}) {
    story run{"r-vote-" + std::to_string(++number)};
    auto asked = gate_at("approve");
    asked.votes = 2;
    asked.voters = {"ann", "bob", "cid"};
    auto first = run.created();
    first.gates = {asked};
    must_write(*session, first);
    for (std::size_t i = 0; i < votes.size(); ++i) {
      const auto choice = votes[i] == 'y' ? gate_choice::approved : gate_choice::rejected;
      must_write(*session, decided(run.run, asked.place, asked.voters[i], choice));
    }
    EXPECT_EQ(reader()->list_gates(run.run)->at(0).state, after) << votes;
  }
}

TEST_F(gates_test, the_same_decision_again_is_taken_once) {
  auto asked = gate_at("approve");
  asked.votes = 2;
  const auto at = begin(asked);
  const auto first = must_write(*session, decided(told.run, at, "ann"));
  auto again = decided(told.run, at, "ann");
  again.decision.at = at_second(70);
  const auto second = must_write(*session, again);
  EXPECT_TRUE(second.receipt.repeated);
  EXPECT_EQ(second.receipt.last, first.receipt.last);
  EXPECT_TRUE(second.events.empty());
  EXPECT_EQ(gate().state, gate_state::open) << "one person is one vote";
  ASSERT_TRUE(decide(at, "bob"));
  EXPECT_TRUE(must_write(*session, again).receipt.repeated) << "also when it is closed";
}

TEST_F(gates_test, nobody_decides_twice) {
  auto asked = gate_at("approve");
  asked.votes = 2;
  const auto at = begin(asked);
  ASSERT_TRUE(decide(at, "ann"));
  EXPECT_EQ(code_of(decide(at, "ann", gate_choice::rejected)), error_code::idempotency_violation);
  auto other_words = decided(told.run, at, "ann");
  other_words.decision.comment = "after all";
  EXPECT_EQ(code_of(write_one(*session, other_words)), error_code::idempotency_violation);
  EXPECT_EQ(gate().decisions.size(), 1U);
}

TEST_F(gates_test, what_is_decided_stays) {
  const auto at = begin();
  ASSERT_TRUE(decide(at, "ann"));
  EXPECT_EQ(code_of(decide(at, "bob", gate_choice::rejected)), error_code::cancelled);
  EXPECT_EQ(code_of(write_one(*session, expire_gate{told.run, at, at_second(60)})), error_code::cancelled);
  EXPECT_EQ(gate().state, gate_state::approved);
}

TEST_F(gates_test, refuses_a_decision_that_cannot_count) {
  auto asked = gate_at("approve");
  asked.voters = {"ann", "bob"};
  asked.action_hash = "sha256:shown";
  const auto at = begin(asked);
  const auto stranger = decide(at, "eve");
  EXPECT_EQ(code_of(stranger), error_code::invalid_input);
  EXPECT_THAT(stranger.error().hint, HasSubstr("ann, bob"));
  EXPECT_EQ(code_of(decide(at, "")), error_code::invalid_input);
  auto other_action = decided(told.run, at, "ann");
  other_action.decision.action_hash = "sha256:older";
  const auto changed = write_one(*session, other_action);
  EXPECT_EQ(code_of(changed), error_code::invalid_input);
  EXPECT_THAT(changed.error().message, testing::AllOf(HasSubstr("sha256:shown"), HasSubstr("sha256:older")));
  EXPECT_EQ(code_of(decide(gate_at("nowhere").place, "ann")), error_code::not_found);
  EXPECT_EQ(code_of(decide(gate_at("approve", 1, 2).place, "ann")), error_code::not_found);
  EXPECT_TRUE(gate().decisions.empty());
  other_action.decision.action_hash = "sha256:shown";
  must_write(*session, other_action);
  EXPECT_EQ(gate().decisions.front().action_hash, "sha256:shown");
}

TEST_F(gates_test, expiry_approves) { EXPECT_EQ(state_after_expiry(expiry_policy::approve), gate_state::approved); }
TEST_F(gates_test, expiry_rejects) { EXPECT_EQ(state_after_expiry(expiry_policy::reject), gate_state::rejected); }
TEST_F(gates_test, expiry_escalates) { EXPECT_EQ(state_after_expiry(expiry_policy::escalate), gate_state::expired); }
TEST_F(gates_test, expiry_fails) { EXPECT_EQ(state_after_expiry(expiry_policy::fail), gate_state::expired); }

TEST_F(gates_test, it_expires_once) {
  auto asked = gate_at("approve");
  asked.expires = 60s;
  const auto at = begin(asked);
  must_write(*session, expire_gate{told.run, at, at_second(90)});
  EXPECT_TRUE(must_write(*session, expire_gate{told.run, at, at_second(95)}).receipt.repeated);
  EXPECT_EQ(code_of(decide(at, "ann")), error_code::cancelled);
  EXPECT_EQ(code_of(write_one(*session, expire_gate{told.run, gate_at("nowhere").place, at_second(95)})),
            error_code::not_found);
}

TEST_F(gates_test, a_decision_is_taken_by_one_superstep) {
  const auto at = begin();
  EXPECT_EQ(code_of(write_one(*session, closed({at}))), error_code::internal) << "nobody has decided";
  ASSERT_TRUE(decide(at, "ann"));
  auto last = told.committed(1, R"({"findings":[]})", {}, {story::alone("survey", "claude", "1")});
  last.taken = {at};
  last.end.reset();
  last.gates = {gate_at("next", 2)};
  must_write(*session, last);
  EXPECT_EQ(gate(0).taken_at, superstep_no{1});
  auto again = told.committed(2, R"({"findings":[]})");
  again.taken = {at};
  EXPECT_EQ(code_of(write_one(*session, again)), error_code::internal) << "taken already";
  ASSERT_TRUE(decide(gate_at("next", 2).place, "ann"));
  again.taken = {gate_at("next", 2).place};
  must_write(*session, again);
}

TEST_F(gates_test, the_end_of_a_run_cancels_what_is_open) {
  const auto at = begin();
  must_write(*session, told.ended(run_state::cancelled, 1));
  EXPECT_EQ(gate().state, gate_state::cancelled);
  EXPECT_TRUE(gate().closed_at);
  EXPECT_EQ(code_of(decide(at, "ann")), error_code::cancelled);
  EXPECT_TRUE(reader()->list_pending()->empty());
}

TEST_F(gates_test, a_pause_leaves_them_open) {
  const auto at = begin();
  must_write(*session, told.ended(run_state::paused, 1));
  EXPECT_EQ(gate().state, gate_state::open);
  ASSERT_TRUE(decide(at, "ann")) << "a decision needs nobody who carries the run out";
}

TEST_F(gates_test, a_superstep_without_a_step_needs_a_gate_to_wait_for) {
  begin();
  auto last = closed({});
  last.end.reset();
  must_write(*session, last);
  EXPECT_EQ(reader()->load_recovery(told.run)->superstep, superstep_no{2});
  ASSERT_TRUE(decide(gate().asked.place, "ann"));
  auto nothing = told.committed(2, R"({"findings":[]})");
  nothing.taken = {gate().asked.place};
  nothing.end.reset();
  EXPECT_EQ(code_of(write_one(*session, nothing)), error_code::internal) << "leads to nothing";
  nothing.end = run_end{};
  must_write(*session, nothing);
}

TEST_F(gates_test, the_gates_of_interrupted_tasks_go_with_their_superstep) {
  begin();
  const auto task = told.task("survey", "claude");
  must_write(*session, told.started(task));
  must_write(*session, told.interrupted(task));
  const auto crash = crash_gate_of(task, "survey");
  must_write(*session, open_gate{told.run, crash, at_second(20)});
  EXPECT_EQ(gate(1).asked.kind, gate_kind::crash);
  EXPECT_EQ(gate(1).asked.place.task, task);
  ASSERT_TRUE(decide(crash.place, "ann"));
  EXPECT_EQ(reader()->load_recovery(told.run)->gates.size(), 2U);
  must_write(*session, told.started(task, 2));
  must_write(*session, told.finished(task, "1", 2));
  auto last = told.committed(1, R"({"findings":[]})", {}, {story::alone("survey", "claude", "1")});
  last.end.reset();
  must_write(*session, last);
  EXPECT_EQ(gate(1).taken_at, superstep_no{1});
  EXPECT_EQ(reader()->load_recovery(told.run)->gates.size(), 1U) << "the step's own gate";
}

TEST_F(gates_test, an_interrupted_task_that_nobody_waits_for_asks_no_longer) {
  begin();
  const auto task = told.task("survey", "claude");
  must_write(*session, told.started(task));
  must_write(*session, told.interrupted(task));
  must_write(*session, open_gate{told.run, crash_gate_of(task, "survey"), at_second(20)});
  auto last = told.committed(1, R"({"findings":[]})", {}, {});
  last.given_up = {{task, task_state::cancelled, error{error_code::cancelled, "another agent was first", ""}}};
  last.end.reset();
  must_write(*session, last);
  EXPECT_EQ(gate(1).state, gate_state::cancelled);
}

TEST_F(gates_test, what_is_pending_is_listed_oldest_first) {
  begin();
  story second{"r-2", 10};
  auto first_rows = second.created();
  first_rows.gates = {gate_at("other")};
  must_write(*session, first_rows);
  must_write(*session, open_gate{told.run, gate_at("third"), at_second(30)});
  std::vector<std::string> all;
  const auto pending = *reader()->list_pending();
  for (const auto& each : pending) {
    all.push_back(each.gate.run.str() + ' ' + each.gate.asked.place.step.str() + ' ' + each.workflow + ' ' +
                  each.subject);
  }
  EXPECT_THAT(all, ElementsAre("r-1 approve review SPEC-7", "r-2 other review SPEC-7", "r-1 third review SPEC-7"));
  ASSERT_TRUE(decide(gate_at("approve").place, "ann"));
  must_write(*session, second.ended(run_state::failed, 1, error_code::run_timeout));
  EXPECT_EQ(reader()->list_pending()->size(), 1U);
}

TEST_F(gates_test, asking_about_a_run_that_is_not_there_is_an_error) {
  begin();
  EXPECT_EQ(code_of(reader()->list_gates(run_id{"r-none"})), error_code::not_found);
}

struct unreadable {
  const char* what;
  const char* sql;
};

void PrintTo(const unreadable& one, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << one.what;
}

class unreadable_gate : public testing::TestWithParam<unreadable> {};

TEST_P(unreadable_gate, is_corrupt) {
  temporary_database place;
  auto session = writer_on(place.options());
  story told{"r-1"};
  auto first = told.created();
  first.standing.steps = {{step_id{"survey"}, {}}};
  first.gates = {gate_at("approve")};
  must_write(*session, first);
  {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
    file.exec("PRAGMA ignore_check_constraints=ON");
    file.exec(GetParam().sql);
  }
  auto reader = *read_session::open(place.options());
  EXPECT_EQ(code_of(reader->load_recovery(told.run)), error_code::storage_corrupt);
}

INSTANTIATE_TEST_SUITE_P(
    gates,
    unreadable_gate,
    testing::Values(unreadable{"state", "UPDATE gates SET state = 'pondering'"},
                    unreadable{"kind", "UPDATE gates SET kind = 'other'"},
                    unreadable{"path", "UPDATE gates SET path = '3,4'"},
                    unreadable{"voters are no list", "UPDATE gates SET voters = '{}'"},
                    unreadable{"voters are no names", "UPDATE gates SET voters = '[1]'"},
                    unreadable{"policy", "UPDATE gates SET on_expiry = 'shrug'"},
                    unreadable{"decision",
                               "INSERT INTO gate_decisions VALUES (1, 'ann', 1, 'maybe', NULL, NULL, NULL, 1)"},
                    unreadable{"standing", "UPDATE supersteps SET standing = '{\"steps\":[]}' WHERE superstep = 1"},
                    unreadable{"standing's path",
                               "UPDATE supersteps SET standing = '{\"arrivals\":[],\"steps\":[[\"a\",\"x\"]]}'"
                               " WHERE superstep = 1"}));

}  // namespace
}  // namespace troupe
