// Runs that wait for people: asleep and woken, in time and too late, cancelled, drained, reborn. One thread, virtual time.
#include "tests/actors/run/gates_fixture.hpp"

#include <algorithm>

namespace troupe {
namespace {

using testing::HasSubstr;

TEST_F(run_gates_test, a_run_waits_for_a_decision_and_goes_on_with_it) {
  begin_and_wait();
  EXPECT_EQ(processes(), 1U);
  house_.advance(60s);
  expect_waiting();
  EXPECT_EQ(count("run.paused"), 1);
  ASSERT_TRUE(decide("approve").has_value());
  ASSERT_EQ(processes(), 2U);
  exit(1);
  expect_end(run_state::completed);
  EXPECT_THAT(house_.view(id_).result.str(), HasSubstr(R"("approve":{"by":["ann"],"decision":"approved"})"));
  EXPECT_EQ(count("run.resumed"), 1);
}

TEST_F(run_gates_test, a_rejection_is_a_result_that_routes_may_look_at) {
  auto gate = gate_step("approve");
  condition approved;
  approved.pointer = "/approve/decision";
  approved.value = json_text{R"("approved")"};
  gate.next = {{step_id{"merge"}, approved, {}}, {step_id{"survey"}, std::nullopt, {}}};
  begin_and_wait(guarded(gate));
  ASSERT_TRUE(decide("approve", gate_choice::rejected).has_value());
  EXPECT_EQ(house_.tasks(id_).back().step, step_id{"survey"}) << "once more";
  exit(1);
  expect_waiting();
  ASSERT_TRUE(decide("approve").has_value());
  exit(2);
  expect_end(run_state::completed);
}

TEST_F(run_gates_test, a_decision_may_edit_the_state) {
  begin_and_wait();
  auto told = decision_on(*open_gate_of("approve"), gate_choice::approved, "ann");
  told.decision.state_edit = json_text{R"({"survey":"better","note":{"by":"ann"}})"};
  ASSERT_TRUE(decide(told).has_value());
  exit(1);
  expect_end(run_state::completed);
  EXPECT_THAT(house_.view(id_).result.str(), HasSubstr(R"("note":{"by":"ann"},"survey":"better")"));
}

TEST_F(run_gates_test, votes_are_counted_before_it_goes_on) {
  auto gate = gate_step("approve", {"merge"});
  gate.gate->levels.front().votes = 2;
  gate.gate->levels.front().voters = {"ann", "bob", "cid"};
  begin_and_wait(guarded(gate));
  ASSERT_TRUE(decide("approve").has_value());
  EXPECT_EQ(house_.view(id_).state, run_state::paused);
  EXPECT_EQ(count("run.resumed"), 0) << "one of two votes wakes nobody";
  EXPECT_TRUE(decide("approve")->repeated);
  ASSERT_TRUE(decide("approve", gate_choice::rejected, "bob").has_value());
  EXPECT_EQ(processes(), 1U);
  ASSERT_TRUE(decide("approve", gate_choice::approved, "cid").has_value());
  exit(1);
  expect_end(run_state::completed);
}

TEST_F(run_gates_test, nobody_decided_in_time_and_it_is_approved) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 24h, expiry_policy::approve)));
  house_.clock->advance(23h);
  house_.advance(1s);
  expect_waiting();
  house_.clock->advance(1h);
  house_.advance(60s);
  ASSERT_EQ(processes(), 2U);
  exit(1);
  expect_end(run_state::completed);
  EXPECT_THAT(house_.view(id_).result.str(), HasSubstr(R"("expired":true)"));
}

TEST_F(run_gates_test, nobody_decided_in_time_and_it_is_rejected) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 1s, expiry_policy::reject)));
  house_.advance(1010ms);
  exit(1);
  expect_end(run_state::completed);
  EXPECT_THAT(house_.view(id_).result.str(), HasSubstr(R"("decision":"rejected")"));
}

TEST_F(run_gates_test, nobody_decided_in_time_and_the_run_fails) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 1s, expiry_policy::fail)));
  house_.advance(1010ms);
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view(id_).why->code, error_code::task_timeout);
}

TEST_F(run_gates_test, nobody_decided_in_time_and_the_next_level_asks) {
  auto gate = expiring(gate_step("approve", {"merge"}), 1s, expiry_policy::escalate);
  auto& second = gate.gate->levels.emplace_back();
  second.prompt = "The others did not answer. Go on?";
  second.expires = milliseconds{2'000};
  begin_and_wait(guarded(gate));
  house_.advance(1010ms);
  expect_waiting();
  EXPECT_EQ(open_gate_of("approve")->level, 2);
  house_.advance(1s);
  ASSERT_TRUE(decide("approve").has_value());
  exit(1);
  expect_end(run_state::completed);
  house_.advance(10s);
  EXPECT_EQ(count("gate.decided"), 2);
}

TEST_F(run_gates_test, a_decision_in_time_ends_the_waiting_for_the_expiry) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 1s, expiry_policy::fail)));
  house_.advance(900ms);
  ASSERT_TRUE(decide("approve").has_value());
  house_.advance(60s);
  exit(1);
  expect_end(run_state::completed);
}

TEST_F(run_gates_test, two_gates_expire_at_the_same_time) {
  begin(named(flow_of({function_step("start", {"one", "two"}),
                       expiring(gate_step("one"), 1s, expiry_policy::approve),
                       expiring(gate_step("two"), 1s, expiry_policy::reject)}),
              "twice"));
  expect_waiting();
  house_.advance(1010ms);
  expect_end(run_state::completed);
  EXPECT_EQ(count("gate.decided"), 2);
}

TEST_F(run_gates_test, a_cancel_finds_it_asleep) {
  begin_and_wait();
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, false});
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, true});
  settle();
  expect_end(run_state::cancelled);
  EXPECT_EQ(house_.gates(id_).front().state, gate_state::cancelled);
  EXPECT_EQ(count("run.cancelled"), 1);
}

TEST_F(run_gates_test, the_time_limit_finds_it_asleep) {
  auto flow = *guarded();
  flow.limits.wall_clock = milliseconds{5'000};
  begin_and_wait(named(flow, "limited"));
  house_.advance(5'010ms);
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view(id_).why->code, error_code::run_timeout);
}

TEST_F(run_gates_test, a_drain_leaves_it_waiting) {
  begin_and_wait();
  const auto before = house_.view(id_).last_seq;
  caf::anon_send(house_.runs.get(), drain_runs{});
  settle();
  expect_waiting();
  EXPECT_EQ(house_.view(id_).last_seq, before) << "it is paused already";
}

TEST_F(run_gates_test, another_process_finds_what_waits_and_goes_on) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 10s, expiry_policy::fail)));
  house_.crash();
  ASSERT_EQ((*read_session::open(house_.database.options()))->list_pending()->size(), 1U);
  start_again();
  expect_waiting();
  ASSERT_TRUE(decide("approve").has_value());
  exit(1);
  expect_end(run_state::completed);
}

TEST_F(run_gates_test, what_expired_meanwhile_expires_when_somebody_goes_on) {
  begin_and_wait(guarded(expiring(gate_step("approve", {"merge"}), 10s, expiry_policy::reject)));
  house_.crash();
  house_.clock->advance(1h);
  start_again();
  EXPECT_EQ(count("run.paused"), 1) << "it does not wait for what is over";
  exit(1);
  expect_end(run_state::completed);
  const auto told = *(*read_session::open(house_.database.options()))->list_events(run_id{id_}, event_seq{0}, 1'000);
  EXPECT_EQ(std::ranges::count(told, event_kind::run_paused, &event::kind), 1) << "it is not waited for anybody again";
}

TEST_F(run_gates_test, a_run_that_nobody_carries_out_is_decided_on_and_left) {
  begin_and_wait();
  house_.crash();
  house_.start();
  ASSERT_TRUE(decide("approve").has_value());
  EXPECT_EQ(house_.view(id_).state, run_state::paused);
  EXPECT_EQ(house_.gates(id_).at(0).decisions.at(0).at, house_.clock->now());
  EXPECT_TRUE(house_.run_actors.empty());
  ASSERT_TRUE(house_.submit(flow_, id_).has_value());
  settle();
  exit(1);
  expect_end(run_state::completed);
}

TEST_F(run_gates_test, a_run_that_nobody_carries_out_is_cancelled_without_a_beginning) {
  begin(guarded());
  house_.crash();
  house_.start();
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, true});
  settle();
  EXPECT_EQ(house_.view(id_).state, run_state::cancelled);
  EXPECT_EQ(processes(), 1U) << "nothing began anew";
}

// The gate's decision goes into the superstep that is open: that of its sibling, which still runs.
TEST_F(run_gates_test, a_decision_beside_a_running_sibling_waits_for_it) {
  begin(named(flow_of({function_step("start", {"approve", "lint"}),
                       gate_step("approve", {"merge"}),
                       agent_step("lint", {"a"}),
                       agent_step("merge", {"b"})}),
              "siblings"));
  ASSERT_EQ(processes(), 1U);
  EXPECT_EQ(house_.view(id_).state, run_state::running);
  ASSERT_TRUE(decide("approve").has_value());
  EXPECT_EQ(processes(), 1U);
  exit(0);
  ASSERT_EQ(processes(), 2U);
  exit(1);
  expect_end(run_state::completed);
  EXPECT_EQ(count("run.paused"), 0);
}

TEST_F(run_gates_test, branches_that_do_not_need_it_go_on) {
  begin(named(flow_of({function_step("start", {"approve", "lint"}),
                       gate_step("approve", {"merge"}),
                       agent_step("lint", {"a"}, {"test"}),
                       agent_step("test", {"a"}, {"pack"}),
                       agent_step("pack", {"a"}),
                       agent_step("merge", {"b"})}),
              "branches"));
  for (std::size_t process = 0; process < 3; ++process) {
    EXPECT_EQ(house_.view(id_).state, run_state::running);
    exit(process);
  }
  expect_waiting();
  EXPECT_EQ(house_.tasks(id_).back().step, step_id{"pack"});
  ASSERT_TRUE(decide("approve").has_value());
  exit(3);
  expect_end(run_state::completed);
}

class interrupted_effects_test : public run_gates_test {
 protected:
  /// A task with effects outside was cut off, and the next process asks.
  void begin_and_crash() {
    auto survey = agent_step("survey", {"a"});
    survey.effects = effect_kind::external;
    begin(named(flow_of({std::move(survey)}), "external"));
    house_.crash();
    start_again();
    expect_waiting();
  }

  std::string key_of(std::size_t process) {
    for (const auto& each : house_.processes->at(process).request.environment) {
      if (each.starts_with("TROUPE_IDEMPOTENCY_KEY=")) {
        return each;
      }
    }
    return "none";
  }
};

TEST_F(interrupted_effects_test, approved_runs_again_under_the_same_key) {
  begin_and_crash();
  EXPECT_EQ(processes(), 1U);
  const auto gate = house_.gates(id_).front();
  EXPECT_EQ(gate.asked.kind, gate_kind::crash);
  EXPECT_EQ(gate.asked.place.task, house_.tasks(id_).front().task);
  EXPECT_THAT(gate.asked.prompt, HasSubstr("Approve to run it again, reject to let it fail"));
  ASSERT_TRUE(decide("survey").has_value());
  ASSERT_EQ(processes(), 2U);
  EXPECT_EQ(key_of(1), key_of(0));
  EXPECT_NE(key_of(1), "none");
  exit(1);
  expect_end(run_state::completed);
}

TEST_F(interrupted_effects_test, rejected_fails) {
  begin_and_crash();
  ASSERT_TRUE(decide("survey", gate_choice::rejected).has_value());
  expect_end(run_state::failed);
  EXPECT_EQ(house_.view(id_).why->code, error_code::interrupted);
  EXPECT_EQ(processes(), 1U);
}

TEST_F(interrupted_effects_test, is_asked_about_each_attempt) {
  begin_and_crash();
  ASSERT_TRUE(decide("survey").has_value());
  ASSERT_EQ(processes(), 2U);
  house_.crash();
  start_again();
  expect_waiting();
  EXPECT_EQ(open_gate_of("survey")->level, 2);
  ASSERT_TRUE(decide("survey").has_value());
  exit(2);
  expect_end(run_state::completed);
}

// What was decided once is no reason to wake again.
TEST_F(interrupted_effects_test, one_of_two_is_decided_and_the_other_still_asks) {
  auto one = agent_step("one", {"a"});
  auto two = agent_step("two", {"b"}, {"approve"});
  one.effects = two.effects = effect_kind::external;
  begin(named(flow_of({function_step("start", {"one", "two"}), one, two, gate_step("approve")}), "both"));
  ASSERT_EQ(processes(), 2U);
  house_.crash();
  start_again();
  expect_waiting();
  EXPECT_EQ(house_.gates(id_).at(0).asked.place.step, step_id{"one"}) << "in graph order";
  ASSERT_TRUE(decide("one").has_value());
  exit(2);
  expect_waiting();
  ASSERT_TRUE(decide("two").has_value());
  exit(3);
  expect_waiting();
  ASSERT_TRUE(decide("approve").has_value());
  expect_end(run_state::completed);
}

}  // namespace
}  // namespace troupe
