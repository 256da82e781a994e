// What attempts cost, and what they may: rows, counters, reservations and refusals.
#include "storage/budgets.hpp"

#include "storage/costs.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/budgets_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class budgets_test : public budgets_fixture {};

TEST_F(budgets_test, a_cost_is_a_row_an_event_and_part_of_its_run) {
  story of{"r-1"};
  create(of, {});
  const auto done = finish(of, "one", "a", reported(7'500));
  ASSERT_EQ(done.events.size(), 2U);
  EXPECT_EQ(done.events[1].kind, event_kind::cost_recorded);
  EXPECT_EQ(done.events[1].data.str(),
            R"({"cost_microusd":7500,"input_tokens":100,"model":"m","output_tokens":20,"source":"reported"})");
  EXPECT_THAT(rows("SELECT attempt, model, input_tokens, output_tokens, cost_microusd, source FROM costs"),
              ElementsAre("1 m 100 20 7500 reported"));
  const auto run = view_of(of);
  EXPECT_EQ(run.cost_microusd, 7'500);
  EXPECT_EQ(run.input_tokens, 100);
  EXPECT_EQ(run.output_tokens, 20);
  EXPECT_EQ(run.unpriced, 0);
  EXPECT_THAT(budgets(), ElementsAre());
}

TEST_F(budgets_test, an_unknown_amount_is_counted_and_told) {
  story of{"r-1"};
  create(of, {});
  const auto done = finish(of, "one", "a", attempt_cost{"x", 5, 6, std::nullopt, cost_source::unknown});
  EXPECT_THAT(done.events.back().data.str(), HasSubstr(R"("code":"UNKNOWN_MODEL")"));
  EXPECT_EQ(view_of(of).unpriced, 1);
  EXPECT_EQ(view_of(of).cost_microusd, 0);
  EXPECT_EQ(view_of(of).input_tokens, 5);
}

TEST_F(budgets_test, a_repeated_end_costs_once) {
  story of{"r-1"};
  create(of, 1'000'000);
  must_write(*session_, wanted(of, "one", "a", 10));
  const auto task = of.task("one", "a");
  must_write(*session_, of.started(task));
  auto told = of.failed(task, error_code::agent_exit);
  told.outcome.cost = reported(30);
  EXPECT_FALSE(must_write(*session_, told).receipt.repeated);
  EXPECT_TRUE(must_write(*session_, told).receipt.repeated);
  EXPECT_EQ(view_of(of).cost_microusd, 30);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000000 0 30"));
}

TEST_F(budgets_test, what_was_reserved_for_a_try_that_never_began_goes_back_with_its_task) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 60));
  finish(of, "two", "b", reported(10));
  auto told = of.committed(1, "{}", {{"three", "c"}}, {story::alone("two", "b", "1")});
  told.given_up = {{of.task("one", "a"), task_state::cancelled, error{error_code::cancelled, "b was first", ""}}};
  must_write(*session_, told);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 0 10"));
}

TEST_F(budgets_test, what_is_reserved_is_not_there_for_others) {
  story of{"r-1"};
  create(of, 100, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60, 400));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 60 0", "run r-1 tokens 1000 400 0"));
  const auto refused = write_one(*session_, wanted(of, "two", "b", 41));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::budget_exceeded);
  EXPECT_THAT(refused.error().message, HasSubstr("run r-1 may use up 0.000100 USD"));
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "two", "b", 40, 601))), error_code::budget_exceeded);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 60 0", "run r-1 tokens 1000 400 0")) << "nothing was left";
  must_write(*session_, wanted(of, "two", "b", 40, 600));
  finish(of, "one", "a", reported(50, 100, 20));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 40 50", "run r-1 tokens 1000 600 120"));
}

TEST_F(budgets_test, a_repeated_reservation_reserves_once) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 60));
  EXPECT_TRUE(must_write(*session_, wanted(of, "one", "a", 60)).receipt.repeated);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 60 0"));
  finish(of, "one", "a", reported(10));
  EXPECT_TRUE(must_write(*session_, wanted(of, "one", "a", 60)).receipt.repeated);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 0 10"));
}

TEST_F(budgets_test, of_an_attempt_about_which_nothing_is_known_something_must_be_left) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 0));
  const auto done = finish(of, "one", "a", reported(100));
  EXPECT_FALSE(done.receipt.over_budget) << "the whole budget may be used";
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "two", "b", 0))), error_code::budget_exceeded);
}

TEST_F(budgets_test, more_than_a_run_may_is_told_with_the_end_of_the_attempt_and_to_who_reads_the_rows) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 10));
  const auto done = finish(of, "one", "a", reported(101));
  ASSERT_TRUE(done.receipt.over_budget);
  EXPECT_EQ(done.receipt.over_budget->code, error_code::budget_exceeded);
  const auto rows = (*read_session::open(place_.options()))->load_recovery(of.run);
  ASSERT_TRUE(rows);
  EXPECT_TRUE(rows->over_budget);
}

TEST_F(budgets_test, warns_at_80_90_and_100_percent_once_each) {
  story of{"r-1"};
  create(of, 100);
  std::vector<std::string> told;
  const auto collect = [&](const applied& done) { std::ranges::move(warnings(done), std::back_inserter(told)); };
  must_write(*session_, wanted(of, "one", "a", 0));
  collect(finish(of, "one", "a", reported(79)));
  EXPECT_THAT(told, ElementsAre());
  must_write(*session_, wanted(of, "two", "b", 0));
  collect(finish(of, "two", "b", reported(12), task_state::interrupted));
  EXPECT_EQ(told.size(), 2U);
  must_write(*session_, wanted(of, "two", "b", 0, 0, 2));
  collect(finish(of, "two", "b", reported(9), task_state::completed, 2));
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[1],
            R"({"ceiling":100,"key":"r-1","percent":90,"reserved":0,"scope":"run","spent":91,"unit":"microusd"})");
  EXPECT_THAT(told[2], HasSubstr(R"("percent":100)"));
}

TEST_F(budgets_test, what_was_cut_off_may_have_been_billed_and_what_failed_was_not) {
  story of{"r-1"};
  create(of, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60));
  finish(of, "one", "a", {}, task_state::interrupted);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 0 60"));
  must_write(*session_, wanted(of, "two", "b", 40));
  finish(of, "two", "b", {}, task_state::failed);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 0 60"));
  EXPECT_EQ(view_of(of).cost_microusd, 0) << "what is not known is not a cost";
}

TEST_F(budgets_test, what_never_ran_gives_back_what_it_held) {
  story of{"r-1"};
  create(of, 1'000);
  for (const auto state : {task_state::failed, task_state::cancelled}) {
    const std::string step = state == task_state::failed ? "one" : "two";
    const std::string agent = state == task_state::failed ? "a" : "b";
    must_write(*session_, wanted(of, step, agent, 60));
    auto told = of.failed(of.task(step, agent), error_code::agent_not_found);
    told.outcome.state = state;
    must_write(*session_, told);
    EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 0 0"));
  }
}

TEST_F(budgets_test, of_an_unknown_amount_the_reservation_counts) {
  time_ = 1h;
  expected_ = 50s;
  took_ = 2s;
  story of{"r-1"};
  create(of, 1'000, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60, 70));
  const attempt_cost unknown{"x", 5, 6, std::nullopt, cost_source::unknown};
  EXPECT_THAT(finish(of, "one", "a", unknown).events[1].data.str(), HasSubstr(R"("counted_microusd":60)"));
  EXPECT_THAT(
      budgets(),
      ElementsAre(
          "run r-1 microseconds 3600000000 0 2000000", "run r-1 microusd 1000 0 60", "run r-1 tokens 1000 0 11"));
  must_write(*session_, wanted(of, "two", "b", 0));
  EXPECT_THAT(finish(of, "two", "b", unknown).events[1].data.str(), Not(HasSubstr("counted_microusd")));
  EXPECT_EQ(view_of(of).unpriced, 2);
}

TEST_F(budgets_test, a_run_that_goes_on_counts_nothing_twice_and_keeps_what_was_interrupted) {
  story of{"r-1"};
  create(of, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60));
  must_write(*session_, of.started(of.task("one", "a")));
  must_write(*session_, wanted(of, "two", "b", 30));  // reserved, and never begun
  must_write(*session_, of.resumed(view_of(of).last_seq.value()));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 30 60"));
  EXPECT_TRUE(must_write(*session_, wanted(of, "two", "b", 30)).receipt.repeated);
  must_write(*session_, wanted(of, "one", "a", 60, 0, 2));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 90 60"));
}

TEST_F(budgets_test, what_never_began_is_given_back_when_the_run_ends) {
  ceilings_.day.tokens = 1'000;
  story of{"r-1"};
  create(of, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60, 50));
  must_write(*session_, of.ended(run_state::cancelled, 1));
  EXPECT_THAT(rows("SELECT scope, reserved, spent FROM budgets ORDER BY 1"), ElementsAre("day 0 0", "run 0 0"));
  EXPECT_THAT(rows("SELECT * FROM budget_reservations"), ElementsAre());
}

TEST_F(budgets_test, two_runs_of_a_subject_cannot_pass_its_ceiling_together) {
  ceilings_.subject.microusd = 100;
  story first{"r-1"};
  story second{"r-2"};
  create(first, {});
  create(second, {});
  must_write(*session_, wanted(first, "one", "a", 60));
  const auto refused = write_one(*session_, wanted(second, "one", "a", 60));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("subject 'SPEC-7'"));
  finish(first, "one", "a", reported(10));
  must_write(*session_, wanted(second, "one", "a", 60));
  EXPECT_EQ(code_of(write_one(*session_, wanted(first, "two", "b", 31))), error_code::budget_exceeded);
  must_write(*session_, wanted(first, "two", "b", 30));
}

TEST_F(budgets_test, a_budget_begins_with_what_was_used_before_it) {
  story yesterday{"r-0", -86'400};
  create(yesterday, {});
  finish(yesterday, "one", "a", reported(9, 1, 2));
  story first{"r-1"};
  create(first, {});
  finish(first, "one", "a", reported(61));
  ceilings_.subject = ceilings_.day = {100, 1'000, {}};
  story second{"r-2"};
  create(second, {});
  EXPECT_EQ(code_of(write_one(*session_, wanted(second, "one", "a", 31))), error_code::budget_exceeded);
  must_write(*session_, wanted(second, "one", "a", 30));
  EXPECT_THAT(rows("SELECT scope, unit, reserved, spent FROM budgets ORDER BY 1, 2"),
              ElementsAre("day microusd 30 61", "day tokens 0 120", "subject microusd 30 70", "subject tokens 0 123"));
}

TEST_F(budgets_test, what_is_used_without_a_reservation_counts_too) {
  ceilings_.subject.microusd = 100;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted(of, "one", "a", 5));
  finish(of, "one", "a", reported(10));
  finish(of, "two", "b", reported(20));  // of a process that has no such budget
  EXPECT_THAT(budgets(), ElementsAre("subject SPEC-7 microusd 100 0 30"));
}

TEST_F(budgets_test, a_child_run_counts_for_the_runs_above_it) {
  story parent{"r-1"};
  create(parent, 100);
  story child{"r-2"};
  auto told = child.created({{"one", "a"}, {"two", "b"}});
  told.parent = parent.run;
  told.parent_task = parent.task("one", "a");
  told.budget.microusd = 90;
  must_write(*session_, told);
  must_write(*session_, wanted(parent, "two", "b", 30));
  EXPECT_EQ(code_of(write_one(*session_, wanted(child, "one", "a", 80))), error_code::budget_exceeded);
  must_write(*session_, wanted(child, "one", "a", 70));
  const auto done = finish(child, "one", "a", reported(85));
  EXPECT_FALSE(done.receipt.over_budget);
  EXPECT_EQ(view_of(parent).cost_microusd, 85);
  EXPECT_EQ(view_of(parent).input_tokens, 100);
  EXPECT_EQ(view_of(child).cost_microusd, 85);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 30 85", "run r-2 microusd 90 0 85"));
  EXPECT_TRUE(finish(parent, "two", "b", reported(16)).receipt.over_budget);
  EXPECT_EQ(view_of(parent).cost_microusd, 101) << "the row that was written beside the run's own commands";
}

TEST_F(budgets_test, all_runs_above_count_and_their_subject_counts_once) {
  std::vector<story> runs{story{"r-1"}, story{"r-2"}, story{"r-3"}};
  create(runs[0], 100);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    auto told = runs[i].created({{"one", "a"}, {"two", "b"}});
    told.parent = runs[i - 1].run;
    told.parent_task = runs[i - 1].task("one", "a");
    told.budget.microusd = 90;
    must_write(*session_, told);
  }
  must_write(*session_, wanted(runs[2], "one", "a", 5));
  EXPECT_THAT(rows("SELECT scope_key, reserved FROM budgets ORDER BY 1"), ElementsAre("r-1 5", "r-2 5", "r-3 5"));
  const auto done = finish(runs[2], "one", "a", reported(101));
  ASSERT_TRUE(done.receipt.over_budget);
  EXPECT_THAT(done.receipt.over_budget->message, HasSubstr("run r-3 ")) << "the innermost is told";
  finish(runs[2], "two", "b", attempt_cost{"x", 1, 1, std::nullopt, cost_source::unknown});
  for (const auto& each : runs) {
    EXPECT_EQ(view_of(each).cost_microusd, 101);
    EXPECT_EQ(view_of(each).unpriced, 1);
  }
  ceilings_.subject.microusd = 200;
  story next{"r-4"};
  create(next, {});
  must_write(*session_, wanted(next, "one", "a", 99));
  EXPECT_THAT(rows("SELECT spent FROM budgets WHERE scope = 'subject'"), ElementsAre("101"));
}

TEST_F(budgets_test, is_told_apart_from_a_fork_which_counts_for_itself) {
  story origin{"r-1"};
  create(origin, 100);
  story fork{"r-2"};
  auto told = fork.created({{"one", "a"}, {"two", "b"}});
  told.parent = origin.run;
  must_write(*session_, told);
  finish(fork, "one", "a", reported(85));
  EXPECT_EQ(view_of(origin).cost_microusd, 0);
}

TEST_F(budgets_test, reservations_come_in_turn) {
  story of{"r-1"};
  create(of, 100);
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "one", "a", 1, 0, 2))), error_code::internal);
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "nobody", "a", 1))), error_code::not_found);
  must_write(*session_, of.started(of.task("one", "a")));
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "one", "a", 1))), error_code::cancelled);
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "one", "a", 1, 0, 2))), error_code::cancelled) << "it runs";
  must_write(*session_, of.interrupted(of.task("one", "a")));
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "one", "a", 1))), error_code::cancelled) << "that is over";
  must_write(*session_, wanted(of, "one", "a", 1, 0, 2));
}

TEST_F(budgets_test, what_a_run_used_before_it_reserved_counts) {
  story of{"r-1"};
  create(of, 100, 200);
  finish(of, "one", "a", reported(70));
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "two", "b", 31))), error_code::budget_exceeded);
  EXPECT_EQ(code_of(write_one(*session_, wanted(of, "two", "b", 30, 81))), error_code::budget_exceeded);
  must_write(*session_, wanted(of, "two", "b", 30, 80));
}

TEST_F(budgets_test, what_a_run_uses_without_a_reservation_counts) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 5));
  finish(of, "one", "a", reported(10));
  finish(of, "two", "b", reported(20));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 100 0 30"));
}

TEST_F(budgets_test, what_was_under_way_when_a_run_ends_may_have_been_billed) {
  story of{"r-1"};
  create(of, 1'000);
  must_write(*session_, wanted(of, "one", "a", 60));
  must_write(*session_, of.started(of.task("one", "a")));
  must_write(*session_, of.ended(run_state::cancelled, 1));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microusd 1000 0 60"));
}

TEST_F(budgets_test, warns_of_amounts_of_any_size) {
  constexpr std::int64_t most = 9'000'000'000'000'000'000;
  story of{"r-1"};
  create(of, {}, most);
  must_write(*session_, wanted(of, "one", "a", 0));
  EXPECT_TRUE(warnings(finish(of, "one", "a", reported(1, most / 2, 0))).empty());
  must_write(*session_, wanted(of, "two", "b", 0));
  EXPECT_EQ(warnings(finish(of, "two", "b", reported(1, most / 10 * 4, 0))).size(), 2U);
}

TEST_F(budgets_test, a_refusal_says_only_what_there_is) {
  story of{"r-1"};
  create(of, 100);
  must_write(*session_, wanted(of, "one", "a", 0));
  finish(of, "one", "a", reported(100));
  const auto refused = write_one(*session_, wanted(of, "two", "b", 0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "run r-1 may use up 0.000100 USD and has used 0.000100 USD");
}

TEST_F(budgets_test, sums_are_by_what_one_asks_for) {
  story first{"r-1"};
  story second{"r-2"};
  create(first, {});
  create(second, {});
  finish(first, "one", "a", reported(10));
  finish(first, "two", "b", attempt_cost{"x", 1, 2, std::nullopt, cost_source::unknown});
  finish(second, "one", "a", attempt_cost{"m", 3, 4, 30, cost_source::estimated});
  const auto stored = *read_session::open(place_.options());
  const auto lines = [&](const cost_filter& filter, cost_grouping by) {
    std::vector<std::string> all;
    const auto sums = stored->list_costs(filter, by);
    EXPECT_TRUE(sums);
    for (const auto& each : *sums) {
      all.push_back(each.key + ": " + std::to_string(each.attempts) + ' ' + std::to_string(each.estimated) + ' ' +
                    std::to_string(each.unpriced) + ' ' + std::to_string(each.input_tokens) + ' ' +
                    std::to_string(each.output_tokens) + ' ' + std::to_string(each.microusd));
      if (each.time > 0us || each.unmetered > 0) {
        all.back() += ", " + std::to_string(each.time / 1s) + " s, " + std::to_string(each.unmetered) + " unmetered";
      }
    }
    return all;
  };
  EXPECT_THAT(lines({}, cost_grouping::model), ElementsAre("m: 2 1 0 103 24 40", "x: 1 0 1 1 2 0"));
  EXPECT_THAT(lines({}, cost_grouping::run), ElementsAre("r-2: 1 1 0 3 4 30", "r-1: 2 0 1 101 22 10"));
  EXPECT_THAT(lines({}, cost_grouping::agent), ElementsAre("a: 2 1 0 103 24 40", "b: 1 0 1 1 2 0"));
  EXPECT_THAT(lines({}, cost_grouping::subject), ElementsAre("SPEC-7: 3 1 1 104 26 40"));
  EXPECT_THAT(lines({{}, "other", {}}, cost_grouping::subject), ElementsAre());
  EXPECT_THAT(lines({{}, {}, at_second(1'000)}, cost_grouping::day), ElementsAre());
  EXPECT_EQ(lines({}, cost_grouping::day).size(), 1U);
  EXPECT_THAT(lines({first.run, {}, {}}, cost_grouping::step), ElementsAre("one: 1 0 0 100 20 10", "two: 1 0 1 1 2 0"));
  EXPECT_THAT(lines({first.run, {}, {}}, cost_grouping::attempt),
              ElementsAre("r-1 1 one/a #1: 1 0 0 100 20 10", "r-1 1 two/b #1: 1 0 1 1 2 0"));
  EXPECT_EQ(code_of(stored->list_costs({run_id{"nobody"}, {}, {}}, cost_grouping::step)), error_code::not_found);
}

TEST_F(budgets_test, sums_have_the_time_of_attempts_and_those_of_which_nothing_else_is_known) {
  story of{"r-1"};
  create(of, {});
  took_ = 5s;
  finish(of, "one", "a", reported(10));
  took_ = 7s;
  finish(of, "two", "b", {}, task_state::failed);
  const auto stored = *read_session::open(place_.options());
  const auto sums = *stored->list_costs({}, cost_grouping::step);
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums[0].time, 5s);
  EXPECT_EQ(sums[0].unmetered, 0);
  EXPECT_EQ(sums[1].attempts, 1);
  EXPECT_EQ(sums[1].time, 7s);
  EXPECT_EQ(sums[1].unmetered, 1);
  EXPECT_EQ(stored->list_costs({}, cost_grouping::model)->back().key, "") << "no model is known";
  EXPECT_EQ(stored->list_costs({{}, {}, at_second(1'000)}, cost_grouping::day)->size(), 0U);
  EXPECT_EQ(view_of(of).attempt_time, 12s);
}

}  // namespace
}  // namespace troupe
