// How long attempts may take in all: reserved, settled, refused, and after a crash.
#include "storage/read_session.hpp"
#include "tests/storage/budgets_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class time_budgets_test : public budgets_fixture {
 protected:
  // What an attempt that begins now may take.
  reserve_budget wanted_for(const story& of,
                            const std::string& step,
                            const std::string& agent,
                            std::chrono::microseconds time,
                            std::int64_t attempt = 1) {
    expected_ = time;
    return wanted(of, step, agent, 0, 0, attempt);
  }

  applied finish_after(story& of,
                       const std::string& step,
                       const std::string& agent,
                       std::chrono::microseconds took,
                       task_state state = task_state::completed,
                       std::int64_t attempt = 1) {
    took_ = took;
    return finish(of, step, agent, {}, state, attempt);
  }
};

TEST_F(time_budgets_test, what_an_attempt_may_take_is_reserved_and_what_it_took_is_spent) {
  time_ = 100s;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 60s));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 100000000 60000000 0"));
  EXPECT_EQ(code_of(write_one(*session_, wanted_for(of, "two", "b", 40s + 1us))), error_code::budget_exceeded);
  must_write(*session_, wanted_for(of, "two", "b", 40s));
  const auto done = finish_after(of, "one", "a", 59s);
  EXPECT_FALSE(done.receipt.over_budget);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 100000000 40000000 59000000"));
  EXPECT_EQ(view_of(of).attempt_time, 59s);
  EXPECT_TRUE(finish_after(of, "two", "b", 41s + 1us).receipt.over_budget) << "one may take longer than was expected";
}

TEST_F(time_budgets_test, the_whole_of_it_may_be_used_and_nothing_begins_then) {
  time_ = 100s;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 0s));
  EXPECT_FALSE(finish_after(of, "one", "a", 100s).receipt.over_budget);
  const auto refused = write_one(*session_, wanted_for(of, "two", "b", 0s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::budget_exceeded);
}

TEST_F(time_budgets_test, a_refusal_says_how_long_and_which_key_raises_it) {
  time_ = 90s;
  ceilings_.subject.time = 90s;
  ceilings_.day.time = 90s;
  struct example {
    const char* scope;
    const char* key;
  };
  for (const auto& each : {example{"run", "limits.budget_time"},
                           example{"subject", "budget.subject_time"},
                           example{"the day", "budget.day_time"}}) {
    story of{std::string{"r-"} + each.scope};
    create(of, {});
    must_write(*session_, wanted_for(of, "one", "a", 60s));
    const auto refused = write_one(*session_, wanted_for(of, "two", "b", 30'500ms));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(each.scope));
    EXPECT_THAT(refused.error().message,
                HasSubstr("may use up 90s of attempts and has used 0ms of attempts, with 1m of attempts reserved"));
    EXPECT_THAT(refused.error().message, HasSubstr("expected to use 30s of attempts"));
    EXPECT_THAT(refused.error().hint, HasSubstr(each.key));
    must_write(*session_, of.ended(run_state::cancelled, 1));
    (time_ ? time_ : ceilings_.subject.time).reset();
  }
}

TEST_F(time_budgets_test, warns_at_80_90_and_100_percent_of_it) {
  time_ = 100s;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 0s));
  EXPECT_TRUE(warnings(finish_after(of, "one", "a", 80s - 1us)).empty());
  must_write(*session_, wanted_for(of, "two", "b", 0s));
  const auto first = warnings(finish_after(of, "two", "b", 1us, task_state::interrupted));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0],
            R"({"ceiling":100000000,"key":"r-1","percent":80,"reserved":0,"scope":"run","spent":80000000,)"
            R"("unit":"microseconds"})");
  must_write(*session_, wanted_for(of, "two", "b", 0s, 2));
  EXPECT_EQ(warnings(finish_after(of, "two", "b", 20s, task_state::completed, 2)).size(), 2U);
}

// However it ended: it has taken its time.
TEST_F(time_budgets_test, an_attempt_that_failed_or_was_stopped_took_what_it_took) {
  ceilings_.subject.time = 1h;
  for (const auto state : {task_state::failed, task_state::cancelled, task_state::interrupted}) {
    story of{"r-" + std::string{to_string(state)}};
    create(of, {});
    must_write(*session_, wanted_for(of, "one", "a", 10s));
    finish_after(of, "one", "a", 4s, state);
    EXPECT_EQ(view_of(of).attempt_time, 4s);
  }
  EXPECT_THAT(budgets(), ElementsAre("subject SPEC-7 microseconds 3600000000 0 12000000"));
}

TEST_F(time_budgets_test, what_never_ran_took_no_time) {
  time_ = 100s;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 60s));
  must_write(*session_, of.failed(of.task("one", "a"), error_code::agent_not_found));
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 100000000 0 0"));
}

// The process died, and nobody saw how long it went on.
TEST_F(time_budgets_test, a_crash_counts_the_time_since_the_start_and_not_more_than_was_reserved) {
  time_ = 1h;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 60s));
  must_write(*session_, wanted_for(of, "two", "b", 1'500ms));
  const auto began = of.started(of.task("one", "a"));
  must_write(*session_, began);
  must_write(*session_, of.started(of.task("two", "b")));
  const auto again = of.resumed(view_of(of).last_seq.value());
  must_write(*session_, again);
  const auto since = again.at - began.at;
  ASSERT_EQ(since, 2s);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 3600000000 0 " + std::to_string((since + 1s).count())))
      << "2 s of 60 that were reserved, and 1 s of 1.5";
  EXPECT_EQ(view_of(of).attempt_time, 0s) << "what is not known is not told as known";
  EXPECT_TRUE(must_write(*session_, again).receipt.repeated);
  EXPECT_TRUE(must_write(*session_, wanted_for(of, "one", "a", 60s)).receipt.repeated) << "its first attempt's";
  EXPECT_THAT(rows("SELECT reserved FROM budgets"), ElementsAre("0"));
}

TEST_F(time_budgets_test, long_after_a_crash_what_was_reserved_counts) {
  time_ = 1h;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 60s));
  must_write(*session_, of.started(of.task("one", "a")));
  auto again = of.resumed(view_of(of).last_seq.value());
  again.at += 24h;
  must_write(*session_, again);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 3600000000 0 60000000"));
}

TEST_F(time_budgets_test, a_subject_and_a_day_begin_with_what_was_used_before) {
  story yesterday{"r-0", -86'400};
  create(yesterday, {});
  finish_after(yesterday, "one", "a", 11s);
  story first{"r-1"};
  create(first, {});
  finish_after(first, "one", "a", 30s);
  ceilings_.subject.time = ceilings_.day.time = 100s;
  story second{"r-2"};
  create(second, {});
  EXPECT_EQ(code_of(write_one(*session_, wanted_for(second, "one", "a", 60s))), error_code::budget_exceeded);
  must_write(*session_, wanted_for(second, "one", "a", 59s));
  EXPECT_THAT(rows("SELECT scope, reserved, spent FROM budgets ORDER BY 1"),
              ElementsAre("day 59000000 30000000", "subject 59000000 41000000"));
}

TEST_F(time_budgets_test, a_run_begins_with_what_its_attempts_took_before) {
  story of{"r-1"};
  time_ = 100s;
  create(of, {});
  finish_after(of, "one", "a", 70s);  // of a process that reserves nothing
  EXPECT_EQ(code_of(write_one(*session_, wanted_for(of, "two", "b", 31s))), error_code::budget_exceeded);
  must_write(*session_, wanted_for(of, "two", "b", 30s));
}

TEST_F(time_budgets_test, a_child_run_counts_for_the_runs_above_it) {
  time_ = 100s;
  story parent{"r-1"};
  create(parent, {});
  story child{"r-2"};
  auto told = child.created({{"one", "a"}, {"two", "b"}});
  told.parent = parent.run;
  told.parent_task = parent.task("one", "a");
  told.budget.time = 90s;
  must_write(*session_, told);
  must_write(*session_, wanted_for(parent, "two", "b", 30s));
  EXPECT_EQ(code_of(write_one(*session_, wanted_for(child, "one", "a", 80s))), error_code::budget_exceeded);
  must_write(*session_, wanted_for(child, "one", "a", 70s));
  EXPECT_FALSE(finish_after(child, "one", "a", 85s).receipt.over_budget);
  EXPECT_EQ(view_of(parent).attempt_time, 85s);
  EXPECT_THAT(
      budgets(),
      ElementsAre("run r-1 microseconds 100000000 30000000 85000000", "run r-2 microseconds 90000000 0 85000000"));
  EXPECT_TRUE(finish_after(parent, "two", "b", 16s).receipt.over_budget);
  EXPECT_EQ(view_of(parent).attempt_time, 101s);
}

TEST_F(time_budgets_test, an_attempt_counts_for_budgets_that_its_process_does_not_have) {
  ceilings_.subject.time = 100s;
  story of{"r-1"};
  create(of, 1'000);
  must_write(*session_, wanted_for(of, "one", "a", 10s));
  finish_after(of, "one", "a", 5s);
  ceilings_.subject.time.reset();
  must_write(*session_, wanted(of, "two", "b", 7));  // of the run's money only
  finish_after(of, "two", "b", 6s);
  EXPECT_THAT(rows("SELECT spent FROM budgets WHERE scope = 'subject'"), ElementsAre("11000000"));
}

// Of one scope another unit is, or of another scope the same.
TEST_F(time_budgets_test, what_is_reserved_of_one_budget_says_nothing_of_another) {
  ceilings_.subject.time = ceilings_.day.time = 100s;
  story first{"r-1"};
  create(first, {});
  must_write(*session_, wanted_for(first, "one", "a", 10s));
  finish_after(first, "one", "a", 5s);
  ceilings_ = {{1'000}, {}};
  time_ = 100s;
  story second{"r-2"};
  create(second, {});
  must_write(*session_, wanted_for(second, "one", "a", 10s));  // of its own time, and of the subject's money
  finish_after(second, "one", "a", 6s);
  EXPECT_THAT(rows("SELECT scope, spent FROM budgets WHERE unit = 'microseconds' ORDER BY 1"),
              ElementsAre("day 11000000", "run 6000000", "subject 11000000"));
}

TEST_F(time_budgets_test, a_clock_that_was_set_back_takes_nothing_away) {
  time_ = 1h;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 60s));
  must_write(*session_, of.started(of.task("one", "a")));
  auto again = of.resumed(view_of(of).last_seq.value());
  again.at -= 24h;
  must_write(*session_, again);
  EXPECT_THAT(budgets(), ElementsAre("run r-1 microseconds 3600000000 0 0"));
}

TEST_F(time_budgets_test, an_attempt_over_midnight_counts_for_the_day_that_it_began_on) {
  ceilings_.day.time = 1h;
  story of{"r-1", -7 * 3600 - 610};  // 23:59:50
  create(of, {});
  auto early = wanted_for(of, "one", "a", 60s);
  early.at = at_second(-7 * 3600 - 605);
  must_write(*session_, early);
  story other{"r-2"};
  create(other, {});
  must_write(*session_, wanted_for(other, "one", "a", 60s));  // the next day has a budget, too
  must_write(*session_, of.started(of.task("one", "a")));
  auto late = of.failed(of.task("one", "a"), error_code::agent_exit);
  late.at = at_second(0);
  late.outcome.took = 20s;
  must_write(*session_, late);
  EXPECT_THAT(budgets(),
              ElementsAre("day 2026-11-20 microseconds 3600000000 0 20000000",
                          "day 2026-11-21 microseconds 3600000000 60000000 0"));
}

TEST_F(time_budgets_test, a_ceiling_that_rises_warns_anew) {
  ceilings_.day.time = 100s;
  story of{"r-1"};
  create(of, {});
  must_write(*session_, wanted_for(of, "one", "a", 0s));
  EXPECT_EQ(warnings(finish_after(of, "one", "a", 85s)).size(), 1U);
  ceilings_.day.time = 110s;
  must_write(*session_, wanted_for(of, "two", "b", 0s));
  EXPECT_EQ(warnings(finish_after(of, "two", "b", 4s)).size(), 1U) << "89 of 110 are 80 % again";
}

}  // namespace
}  // namespace troupe
