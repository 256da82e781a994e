// Gates, interrupted tasks and children that wait: what people decide, and what goes on without them.
#include "tests/actors/run/plan_material.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe {
namespace {

constexpr timestamp noon{std::chrono::microseconds{1'000'000}};

gate_level level(std::string prompt, std::optional<condition> when = {}) {
  gate_level made;
  made.when = std::move(when);
  made.prompt = std::move(prompt);
  return made;
}

step gate_step(const std::string& id, const std::vector<std::string>& next = {}) {
  auto made = function_step(id, next);
  made.function.reset();
  made.gate.emplace().levels.push_back(level("Go on with {{run.subject}}?"));
  return made;
}

// The rows of the gates of a run: opened by commits, decided by tests.
class gate_book {
 public:
  void open(const std::vector<gate_opening>& questions) {
    for (const auto& asked : questions) {
      auto& gate = gates_.emplace_back();
      gate.run = the_run;
      gate.asked = asked;
      gate.opened_at = noon;
    }
  }

  void decide(const std::string& step, gate_state state, std::optional<json_text> edit = {}) {
    const auto found = std::ranges::find_if(gates_, [&](const gate_view& gate) {
      return gate.asked.place.step.str() == step && gate.state == gate_state::open;
    });
    ASSERT_NE(found, gates_.end()) << "no open gate " << step;
    found->state = state;
    if (state != gate_state::expired) {
      found->decisions.push_back({"ann",
                                  state == gate_state::approved ? gate_choice::approved : gate_choice::rejected,
                                  "fine",
                                  std::move(edit),
                                  {},
                                  noon});
    }
  }

  void take(const commit_superstep& told) {
    std::erase_if(gates_, [&](const gate_view& gate) {
      return std::ranges::find(told.taken, gate.asked.place) != told.taken.end();
    });
    open(told.gates);
  }

  const std::vector<gate_view>& rows() const { return gates_; }

 private:
  std::vector<gate_view> gates_;
};

plan planned_with_gates(const workflow& flow, gate_book& book) {
  auto rows = fresh_rows(flow);
  book.open(first_rows(flow, json_text{"{}"}, "river", the_run)->gates);
  rows.gates = book.rows();
  return planned(flow, rows);
}

commit_superstep close(plan& progress, gate_book& book) {
  const auto closed = superstep(progress, {});
  progress.committed(closed);
  book.take(closed);
  return closed;
}

TEST(plan_gates_test, invariant_8_a_gate_holds_up_what_follows_it_and_nothing_else) {
  auto start = function_step("start", {"ask", "work"});
  const auto flow = flow_of({start,
                             gate_step("ask", {"merge"}),
                             function_step("work", {"more"}),
                             function_step("more"),
                             function_step("merge")});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  const auto first = close(progress, book);
  ASSERT_EQ(first.gates.size(), 1U);
  EXPECT_EQ(first.gates[0].prompt, "Go on with river?");
  EXPECT_EQ(names(first.next_front), "work") << "a gate has no task";
  EXPECT_FALSE(progress.waiting());
  EXPECT_EQ(names(close(progress, book).next_front), "more");
  EXPECT_EQ(names(close(progress, book).next_front), "");
  EXPECT_TRUE(progress.waiting());
  EXPECT_FALSE(progress.complete());
  book.decide("ask", gate_state::approved);
  progress.learn(book.rows());
  EXPECT_FALSE(progress.waiting());
  const auto decided = close(progress, book);
  EXPECT_EQ(names(decided.next_front), "merge");
  EXPECT_NE(decided.state.str().find(R"("ask":{"by":["ann"],"comment":"fine","decision":"approved"})"),
            std::string::npos)
      << decided.state.str();
  EXPECT_EQ(close(progress, book).end->state, run_state::completed);
}

TEST(plan_gates_test, a_decision_goes_into_the_superstep_that_is_open) {
  const auto flow = flow_of({function_step("start", {"ask", "work"}),
                             gate_step("ask", {"merge"}),
                             function_step("work"),
                             function_step("merge")});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  close(progress, book);
  const auto orders = progress.admit();
  book.decide("ask", gate_state::rejected);
  progress.learn(book.rows());
  EXPECT_FALSE(progress.complete());
  progress.finished(orders[0].task.id, completed("1"));
  const auto closed = progress.close();
  EXPECT_EQ(closed.deltas.str(),
            R"([["ask","","ask",{"by":["ann"],"comment":"fine","decision":"rejected"}],["work","work","work",1]])")
      << "in graph order";
  EXPECT_EQ(names(closed.next_front), "merge");
}

TEST(plan_gates_test, a_run_may_begin_with_a_gate) {
  gate_book book;
  auto progress = planned_with_gates(flow_of({gate_step("ask", {"work"}), function_step("work")}), book);
  EXPECT_TRUE(progress.waiting());
  book.decide("ask", gate_state::approved);
  progress.learn(book.rows());
  EXPECT_EQ(names(close(progress, book).next_front), "work");
}

TEST(plan_gates_test, an_edit_comes_before_the_decision_and_past_every_reducer) {
  auto flow = flow_of({gate_step("ask")});
  flow.state.push_back({field_name{"n"}, json_text{"[1]"}, reducer::append, {}});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  book.decide("ask", gate_state::approved, json_text{R"({"ask":null,"n":5,"x":{"y":1}})"});
  progress.learn(book.rows());
  EXPECT_EQ(close(progress, book).state.str(),
            R"({"ask":{"by":["ann"],"comment":"fine","decision":"approved"},"n":5,"x":{"y":1}})");
}

TEST(plan_gates_test, levels_ask_in_turn_and_those_whose_condition_does_not_hold_are_left_out) {
  auto ask = gate_step("ask", {"pay"});
  condition large;
  large.pointer = "/amount";
  large.compares = comparison::gt;
  large.value = json_text{"1000"};
  ask.gate->levels.push_back(level("More than 1000: {{state.amount}}?", large));
  for (const int amount : {10, 5'000}) {
    auto flow = flow_of({ask, function_step("pay")});
    flow.state.push_back({field_name{"amount"}, json_text{std::to_string(amount)}, reducer::fail, {}});
    gate_book book;
    auto progress = planned_with_gates(flow, book);
    book.decide("ask", gate_state::approved);
    progress.learn(book.rows());
    const auto closed = close(progress, book);
    if (amount == 10) {
      EXPECT_EQ(names(closed.next_front), "pay");
      continue;
    }
    ASSERT_EQ(closed.gates.size(), 1U);
    EXPECT_EQ(closed.gates[0].place.level, 2);
    EXPECT_EQ(closed.gates[0].prompt, "More than 1000: 5000?");
    book.decide("ask", gate_state::rejected);
    progress.learn(book.rows());
    EXPECT_NE(close(progress, book).state.str().find(R"("decision":"rejected")"), std::string::npos);
  }
}

TEST(plan_gates_test, what_the_workflow_itself_approves_is_asked_of_nobody) {
  auto ask = gate_step("ask", {"merge"});
  condition small;
  small.pointer = "/lines";
  small.compares = comparison::lt;
  small.value = json_text{"10"};
  ask.gate->approved_when = small;
  auto flow = flow_of({function_step("lines", {"ask"}), ask, function_step("merge")});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  EXPECT_TRUE(close(progress, book).gates.empty());
  EXPECT_TRUE(progress.complete()) << "nobody has to do anything";
  const auto closed = close(progress, book);
  EXPECT_NE(closed.state.str().find(R"("ask":{"automatic":true,"by":[],"decision":"approved"})"), std::string::npos);
  EXPECT_EQ(names(closed.next_front), "merge");
}

// An approval is never for what its person was not shown.
TEST(plan_gates_test, a_gate_that_is_reached_again_while_it_is_open_asks_a_second_time) {
  auto ask = gate_step("ask", {"done"});
  ask.gate->levels[0].prompt = "Send {{state.draft}}?";
  auto flow = flow_of(
      {function_step("draft", {"ask", "better"}), ask, function_step("better", {"ask"}), function_step("done")});
  flow.steps[2].output = field_name{"draft"};
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  const auto first = superstep(progress, {{"draft", completed(R"("v1")")}});
  progress.committed(first);
  book.take(first);
  const auto second = superstep(progress, {{"better", completed(R"("v2")")}});
  progress.committed(second);
  book.take(second);
  EXPECT_EQ(first.gates.at(0).prompt, "Send v1?");
  EXPECT_EQ(second.gates.at(0).prompt, "Send v2?");
  book.decide("ask", gate_state::rejected);
  book.decide("ask", gate_state::approved);
  progress.learn(book.rows());
  const auto one = superstep(progress, {});
  ASSERT_EQ(one.taken.size(), 1U) << "each of them is seen by what follows it";
  EXPECT_NE(one.state.str().find(R"("decision":"rejected")"), std::string::npos);
  progress.committed(one);
  book.take(one);
  const auto other = close(progress, book);
  EXPECT_EQ(other.taken.size(), 1U);
  EXPECT_NE(other.state.str().find(R"("decision":"approved")"), std::string::npos);
  EXPECT_EQ(names(other.next_front), "done");
}

// A person's decision is progress, however often it leads back to the question.
TEST(plan_gates_test, a_loop_of_decisions_is_no_circle) {
  gate_book book;
  auto progress = planned_with_gates(flow_of({gate_step("ask", {"ask"})}), book);
  for (int i = 0; i < 5; ++i) {
    book.decide("ask", gate_state::rejected);
    progress.learn(book.rows());
    ASSERT_FALSE(close(progress, book).end) << i;
  }
}

TEST(plan_gates_test, a_circle_of_gates_that_approve_of_themselves_is_no_progress) {
  auto ask = gate_step("ask", {"ask"});
  ask.gate->approved_when = condition{};
  ask.gate->approved_when->pointer = "/go";
  ask.gate->approved_when->compares = comparison::exists;
  ask.gate->approved_when->value = json_text{"true"};
  auto flow = flow_of({ask});
  flow.state.push_back({field_name{"go"}, json_text{"1"}, reducer::last, {}});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  ASSERT_FALSE(close(progress, book).end);
  EXPECT_EQ(close(progress, book).end->why->code, error_code::no_progress);
}

TEST(plan_gates_test, an_action_that_has_changed_is_asked_about_again) {
  auto ask = gate_step("ask", {"done"});
  ask.gate->action = "/patch";
  auto flow = flow_of({function_step("start", {"ask", "patch"}), ask, function_step("patch"), function_step("done")});
  flow.state.push_back({field_name{"patch"}, json_text{R"("v1")"}, reducer::last, {}});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  const auto first = close(progress, book);
  EXPECT_TRUE(first.gates.at(0).action_hash.starts_with("sha256:"));
  book.decide("ask", gate_state::approved);
  const auto orders = progress.admit();
  progress.finished(orders[0].task.id, completed(R"("v2")"));
  const auto patched = progress.close();  // the decision is not known to it
  progress.committed(patched);
  progress.learn(book.rows());
  const auto again = close(progress, book);
  ASSERT_EQ(again.gates.size(), 1U);
  EXPECT_EQ(again.gates[0].place.level, 1);
  EXPECT_NE(again.gates[0].action_hash, first.gates[0].action_hash);
  EXPECT_FALSE(again.state.str().find("\"ask\"") != std::string::npos) << "nothing was decided";
  book.decide("ask", gate_state::approved);
  progress.learn(book.rows());
  EXPECT_EQ(names(close(progress, book).next_front), "done");
}

// What follows a gate sees all of the superstep that its decision falls into.
TEST(plan_gates_test, an_action_that_changes_in_the_superstep_of_its_decision_is_asked_about_again) {
  auto ask = gate_step("ask", {"done"});
  ask.gate->action = "/patch";
  for (const bool changes : {false, true}) {
    auto flow = flow_of({function_step("start", {"ask", "patch"}), ask, function_step("patch"), function_step("done")});
    flow.state.push_back({field_name{"patch"}, json_text{R"("v1")"}, reducer::last, {}});
    gate_book book;
    auto progress = planned_with_gates(flow, book);
    close(progress, book);
    const auto orders = progress.admit();
    book.decide("ask", gate_state::approved, json_text{R"({"note":"good"})"});
    progress.learn(book.rows());
    progress.finished(orders[0].task.id, completed(changes ? R"("v2")" : R"("v1")"));
    const auto closed = close(progress, book);
    EXPECT_EQ(closed.taken.size(), 1U);
    EXPECT_EQ(closed.gates.size(), changes ? 1U : 0U);
    EXPECT_EQ(names(closed.next_front), changes ? "" : "done");
    EXPECT_EQ(closed.state.str().find("good") != std::string::npos, !changes) << "what is void edits nothing";
  }
}

TEST(plan_gates_test, who_edits_the_action_approves_of_what_he_makes_of_it) {
  auto ask = gate_step("ask", {"done"});
  ask.gate->action = "/patch";
  auto flow = flow_of({ask, function_step("done")});
  flow.state.push_back({field_name{"patch"}, json_text{R"("v1")"}, reducer::last, {}});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  book.decide("ask", gate_state::approved, json_text{R"({"patch":"better"})"});
  progress.learn(book.rows());
  const auto closed = close(progress, book);
  EXPECT_EQ(names(closed.next_front), "done");
  EXPECT_NE(closed.state.str().find(R"("patch":"better")"), std::string::npos);
}

TEST(plan_gates_test, what_one_decision_edits_voids_an_approval_beside_it) {
  auto ask = gate_step("ask", {"done"});
  ask.gate->action = "/patch";
  auto flow = flow_of({function_step("start", {"other", "ask"}), ask, gate_step("other"), function_step("done")});
  flow.state.push_back({field_name{"patch"}, json_text{R"("v1")"}, reducer::last, {}});
  for (const auto* edits : {"other", "nobody"}) {
    gate_book book;
    auto progress = planned_with_gates(flow, book);
    close(progress, book);
    book.decide("ask", gate_state::approved);
    book.decide("other",
                gate_state::approved,
                edits == std::string{"other"} ? std::optional{json_text{R"({"patch":"v2"})"}} : std::nullopt);
    progress.learn(book.rows());
    const auto closed = close(progress, book);
    EXPECT_EQ(closed.taken.size(), 2U);
    EXPECT_EQ(closed.gates.size(), edits == std::string{"other"} ? 1U : 0U);
  }
}

TEST(plan_gates_test, the_next_level_is_looked_for_with_what_its_superstep_has_made_of_the_state) {
  condition risky;
  risky.pointer = "/risk";
  risky.compares = comparison::ge;
  risky.value = json_text{"3"};
  auto ask = gate_step("ask", {"done"});
  ask.gate->levels.push_back(level("The director?", risky));
  for (const int before : {1, 5}) {
    auto flow = flow_of({ask, function_step("done")});
    flow.state.push_back({field_name{"risk"}, json_text{std::to_string(before)}, reducer::last, {}});
    gate_book book;
    auto progress = planned_with_gates(flow, book);
    book.decide("ask", gate_state::approved, json_text{before == 1 ? R"({"risk":5})" : R"({"risk":1})"});
    progress.learn(book.rows());
    const auto closed = close(progress, book);
    EXPECT_EQ(closed.gates.size(), before == 1 ? 1U : 0U);
    if (before == 5) {
      EXPECT_NE(closed.state.str().find(R"("by":["ann"])"), std::string::npos)
          << "somebody approved: " << closed.state.str();
    }
  }
}

TEST(plan_gates_test, rows_that_contradict_the_workflow_are_refused) {
  const auto flow = flow_of({gate_step("ask", {"join"}), function_step("join")});
  const auto refused = [&](const recovery_view& rows) {
    const auto made = plan::restore(std::make_shared<const workflow>(flow), rows, known_executors());
    return !made && made.error().code == error_code::internal;
  };
  gate_book book;
  planned_with_gates(flow, book);
  auto rows = fresh_rows(flow);
  rows.gates = book.rows();
  EXPECT_FALSE(refused(rows));
  rows.gates[0].asked.place.level = 2;
  EXPECT_TRUE(refused(rows));
  rows.gates[0].asked.place = {superstep_no{1}, step_id{"nobody"}, 1, {}};
  EXPECT_TRUE(refused(rows));
  rows.gates.clear();
  rows.standing.arrivals = {{step_id{"nobody"}, step_id{"ask"}, {}}};
  EXPECT_TRUE(refused(rows));
  rows.standing.arrivals = {{step_id{"join"}, step_id{"ask"}, {}}};
  EXPECT_TRUE(refused(rows)) << "a step that joins nobody has no arrivals";
}

TEST(plan_gates_test, a_gate_that_expires_fails_or_asks_at_the_next_level) {
  auto ask = gate_step("ask");
  ask.gate->levels[0].expires = 1'000ms;
  ask.gate->levels[0].on_expiry = expiry_policy::escalate;
  ask.gate->levels.push_back(level("The director?"));
  gate_book book;
  auto progress = planned_with_gates(flow_of({ask}), book);
  book.decide("ask", gate_state::expired);
  progress.learn(book.rows());
  const auto escalated = close(progress, book);
  ASSERT_EQ(escalated.gates.size(), 1U);
  EXPECT_EQ(escalated.gates[0].prompt, "The director?");
  book.decide("ask", gate_state::expired);
  progress.learn(book.rows());
  const auto closed = close(progress, book);
  ASSERT_TRUE(closed.end);
  EXPECT_EQ(closed.end->state, run_state::failed);
  EXPECT_EQ(closed.end->why->code, error_code::task_timeout);
}

TEST(plan_gates_test, the_times_of_open_gates_are_told) {
  gate_book book;
  auto progress = planned_with_gates(flow_of({gate_step("ask")}), book);
  EXPECT_TRUE(progress.gate_deadlines().empty());
  auto rows = book.rows();
  rows[0].expires_at = noon + 1h;
  progress.learn(rows);
  ASSERT_EQ(progress.gate_deadlines().size(), 1U);
  EXPECT_EQ(progress.gate_deadlines()[0].due, noon + 1h);
}

// A run that is taken up again: its first task ran when its process ended.
recovery_view cut_off(const workflow& flow) {
  auto rows = fresh_rows(flow);
  rows.tasks[0].attempt = attempt_no{1};
  return rows;
}

TEST(plan_gates_test, invariant_9_what_was_interrupted_runs_again_fails_or_asks) {
  auto one = function_step("one");
  EXPECT_EQ(names(planned(flow_of({one}), cut_off(flow_of({one}))).admit()), "one/work");

  one.on_crash = crash_policy::fail;
  auto failing = planned(flow_of({one}), cut_off(flow_of({one})));
  ASSERT_TRUE(failing.complete());
  const auto closed = failing.close();
  EXPECT_EQ(closed.end->why->code, error_code::interrupted);
  EXPECT_EQ(closed.given_up.size(), 1U);

  one.on_crash.reset();
  one.effects = effect_kind::external;
  auto asking = planned(flow_of({one}), cut_off(flow_of({one})));
  EXPECT_FALSE(asking.complete());
  EXPECT_FALSE(asking.waiting()) << "nobody has been asked yet";
  gate_book book;
  book.open(asking.take_questions());
  EXPECT_TRUE(asking.take_questions().empty());
  asking.learn(book.rows());
  EXPECT_TRUE(asking.waiting());
  book.decide("one", gate_state::approved);
  asking.learn(book.rows());
  const auto again = asking.admit();
  ASSERT_EQ(names(again), "one/work");
  EXPECT_EQ(again[0].attempt, attempt_no{2});
  asking.finished(again[0].task.id, interrupted());
  EXPECT_EQ(asking.take_questions().at(0).place.level, 2) << "each attempt is asked about";
}

TEST(plan_gates_test, what_a_person_does_not_let_run_again_fails) {
  auto one = function_step("one");
  one.on_crash = crash_policy::ask;
  const auto flow = flow_of({one});
  auto progress = planned(flow, cut_off(flow));
  gate_book book;
  book.open(progress.take_questions());
  book.decide("one", gate_state::rejected);
  progress.learn(book.rows());
  ASSERT_TRUE(progress.complete());
  EXPECT_EQ(progress.close().end->why->code, error_code::interrupted);
}

TEST(plan_gates_test, an_agent_of_an_external_effect_asks_unless_the_step_says_otherwise) {
  auto with = std::make_shared<executors>(*known_executors());
  with->agents[agent_name{"a"}].effects = effect_kind::external;
  auto one = agent_step("one", {"a"});
  const auto plan_of = [&](const step& declared) {
    const auto flow = flow_of({declared});
    return *plan::restore(std::make_shared<const workflow>(flow), cut_off(flow), with);
  };
  EXPECT_EQ(plan_of(one).take_questions().size(), 1U);
  one.effects = effect_kind::idempotent;
  EXPECT_TRUE(plan_of(one).take_questions().empty());
  one.effects.reset();
  one.on_crash = crash_policy::retry;
  EXPECT_TRUE(plan_of(one).take_questions().empty());
}

TEST(plan_gates_test, a_task_whose_child_waits_is_held_back_alone) {
  const auto flow = flow_of({function_step("start", {"one", "two"}), function_step("one"), function_step("two")});
  gate_book book;
  auto progress = planned_with_gates(flow, book);
  close(progress, book);
  const auto orders = progress.admit();
  ASSERT_EQ(orders.size(), 2U);
  progress.finished(orders[0].task.id, interrupted());
  progress.blocked(orders[0].task.id);
  EXPECT_FALSE(progress.waiting());
  progress.finished(orders[1].task.id, completed("1"));
  EXPECT_FALSE(progress.complete());
  EXPECT_TRUE(progress.waiting());
  progress.unblocked(orders[0].task.id);
  EXPECT_FALSE(progress.waiting());
  EXPECT_EQ(names(progress.admit()), "one/work");
}

}  // namespace
}  // namespace troupe
