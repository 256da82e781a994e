// What waits for a time: tasks that are tried again, runs that a quota has paused, and their rows in timers.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

class retry_rows_test : public testing::Test {
 protected:
  void SetUp() override { must_write(*session, told.created({{"a", "x"}, {"a", "y"}})); }

  void TearDown() override { EXPECT_EQ(check_database(place.options())->size(), 0U); }

  finish_attempt retried(const task_id& task, std::optional<retry_wait> when, std::int64_t attempt = 1) {
    auto fact = told.failed(task, error_code::provider_unavailable, attempt);
    fact.outcome.state = task_state::retrying;
    fact.outcome.retry = when;
    return fact;
  }

  task_view task_row(std::size_t which) {
    return (*read_session::open(place.options()))->list_tasks(told.run)->at(which);
  }

  std::int64_t timers(const std::string& state) {
    return count_of(place.path(), "SELECT count(*) FROM timers WHERE state = '" + state + "'");
  }

  temporary_database place;
  std::unique_ptr<write_session> session = writer_on(place.options());
  story told{"r-1"};
  task_id x = told.task("a", "x");
  task_id y = told.task("a", "y");
  retry_wait soon{at_second(100), milliseconds{2'000}};
};

TEST_F(retry_rows_test, a_task_that_is_tried_again_waits_in_a_row) {
  must_write(*session, told.started(x));
  const auto written = must_write(*session, retried(x, soon));
  ASSERT_EQ(written.events.size(), 1U);
  EXPECT_EQ(written.events.front().kind, event_kind::task_retrying);
  EXPECT_EQ(written.events.front().data.str(),
            R"({"class":"retryable","code":"PROVIDER_UNAVAILABLE","delay_ms":2000,"due":")" +
                to_rfc3339(at_second(100)) + R"(","hint":"look again","message":"it did not work"})");
  const auto row = task_row(0);
  EXPECT_EQ(row.state, task_state::retrying);
  EXPECT_EQ(row.retry_at, at_second(100));
  EXPECT_EQ(row.failures, 1);
  EXPECT_EQ(row.degraded_tries, 0);
  EXPECT_TRUE(row.first_started);
  EXPECT_EQ(timers("waiting"), 1);
}

TEST_F(retry_rows_test, the_next_attempt_ends_the_waiting) {
  must_write(*session, told.started(x));
  must_write(*session, retried(x, soon));
  must_write(*session, told.started(x, 2));
  EXPECT_EQ(timers("fired"), 1);
  must_write(*session, told.finished(x, "1", 2));
  const auto row = task_row(0);
  EXPECT_EQ(row.state, task_state::completed);
  EXPECT_EQ(row.failures, 1);
  EXPECT_FALSE(row.why);
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM attempts WHERE error_class = 'retryable'"), 1);
}

TEST_F(retry_rows_test, the_waiting_survives_a_new_owner) {
  must_write(*session, told.started(x));
  must_write(*session, retried(x, soon));
  session = writer_on(place.options(), 2);
  must_write(*session, told.resumed(4));
  EXPECT_EQ(task_row(0).retry_at, at_second(100));
}

TEST_F(retry_rows_test, a_cancel_ends_the_waiting) {
  must_write(*session, told.started(x));
  must_write(*session, retried(x, soon));
  must_write(*session, told.ended(run_state::cancelled, 4));
  EXPECT_EQ(timers("cancelled"), 1);
}

TEST_F(retry_rows_test, who_waits_for_the_others_of_its_step_has_no_time) {
  must_write(*session, told.started(x));
  const auto written = must_write(*session, retried(x, std::nullopt));
  EXPECT_NE(written.events.front().data.str().find(R"("class":"degraded")"), std::string::npos);
  const auto row = task_row(0);
  EXPECT_FALSE(row.retry_at);
  EXPECT_EQ(row.degraded_tries, 1);
  EXPECT_EQ(timers("waiting"), 0);
}

TEST_F(retry_rows_test, who_is_given_up_gets_its_final_row_with_the_superstep) {
  must_write(*session, told.started(x));
  must_write(*session, retried(x, std::nullopt));
  must_write(*session, told.started(y));
  must_write(*session, told.finished(y, "1"));
  auto last = told.committed(1, "{}", {}, {story::alone("a", "y", "1")});
  last.given_up = {{x, task_state::failed, error{error_code::agent_exit, "no quorum", ""}}};
  const auto written = must_write(*session, last);
  EXPECT_EQ(written.events.front().kind, event_kind::task_failed);
  EXPECT_EQ(task_row(0).state, task_state::failed);
}

TEST_F(retry_rows_test, refuses_to_give_up_what_runs_or_is_done) {
  must_write(*session, told.started(x));
  auto last = told.committed(1, "{}");
  last.given_up = {{x, task_state::failed, error{error_code::agent_exit, "no quorum", ""}}};
  EXPECT_EQ(code_of(write_one(*session, last)), error_code::internal);
}

TEST_F(retry_rows_test, a_run_that_a_quota_paused_knows_when_it_goes_on) {
  auto pause = told.ended(run_state::paused, 3, error_code::rate_limited);
  pause.end.until = at_second(500);
  const auto written = must_write(*session, pause);
  EXPECT_NE(written.events.front().data.str().find(to_rfc3339(at_second(500))), std::string::npos);
  EXPECT_EQ((*read_session::open(place.options()))->load_recovery(told.run)->paused_until, at_second(500));
  must_write(*session, told.resumed(4));
  EXPECT_FALSE((*read_session::open(place.options()))->load_recovery(told.run)->paused_until);
  EXPECT_EQ(timers("fired"), 1);
}

}  // namespace
}  // namespace troupe
