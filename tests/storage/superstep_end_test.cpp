// A superstep that ends its run before all of its tasks have begun, as at limits.max_steps.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

class superstep_end_test : public testing::Test {
 protected:
  /// Of three tasks one is done and one was interrupted.
  void SetUp() override {
    must_write(*session, told.created({{"a", "x"}, {"b", "x"}, {"c", "x"}}));
    must_write(*session, told.started(told.task("a", "x")));
    must_write(*session, told.finished(told.task("a", "x"), "1"));
    must_write(*session, told.started(told.task("b", "x")));
    must_write(*session, told.interrupted(told.task("b", "x")));
  }

  commit_superstep limit_reached() {
    auto last = told.committed(1, R"({"findings":[]})");
    last.end = run_end{run_state::failed,
                       false,
                       error{error_code::max_steps_exceeded, "the run may execute 2 tasks, and has", ""},
                       step_id{"b"}};
    return last;
  }

  temporary_database place;
  std::unique_ptr<write_session> session = writer_on(place.options());
  story told{"r-1"};
};

TEST_F(superstep_end_test, cancels_what_waits) {
  const auto written = must_write(*session, limit_reached());
  std::vector<std::string> kinds;
  for (const auto& event : written.events) {
    kinds.push_back(std::string{to_string(event.kind)} + ' ' + (event.step ? event.step->str() : ""));
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"task.cancelled b", "task.cancelled c", "superstep.committed ", "run.failed "}));
  const auto tasks = *(*read_session::open(place.options()))->list_tasks(told.run);
  EXPECT_EQ(tasks.at(0).state, task_state::completed);
  for (const std::size_t waited : {1U, 2U}) {
    EXPECT_EQ(tasks.at(waited).state, task_state::cancelled);
    EXPECT_EQ(tasks.at(waited).why->code, error_code::max_steps_exceeded);
  }
  EXPECT_TRUE(check_database(place.options())->empty());
}

TEST_F(superstep_end_test, refuses_to_cancel_what_runs) {
  must_write(*session, told.started(told.task("c", "x")));
  EXPECT_EQ(code_of(write_one(*session, limit_reached())), error_code::internal);
}

TEST_F(superstep_end_test, completes_no_run_while_tasks_wait) {
  EXPECT_EQ(code_of(write_one(*session, told.committed(1, "{}"))), error_code::internal);
  EXPECT_EQ(code_of(write_one(*session, told.committed(1, "{}", {{"plan", "x"}}))), error_code::internal);
}

// Of two agents one has answered.
TEST(degraded_superstep_test, makes_its_run_degraded_at_once_and_a_pause_takes_nothing_back) {
  const temporary_database place;
  const auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created({{"a", "x"}, {"a", "y"}}));
  must_write(*session, told.started(told.task("a", "x")));
  must_write(*session, told.finished(told.task("a", "x"), "1"));
  must_write(*session, told.started(told.task("a", "y")));
  must_write(*session, told.failed(told.task("a", "y"), error_code::agent_exit));
  auto verdict = story::alone("a", "x", "1");
  verdict.reached.asked.push_back(agent_name{"y"});
  verdict.reached.missing = {{agent_name{"y"}, error{error_code::agent_exit, "it broke", ""}}};
  verdict.reached.status = verdict_status::degraded;
  verdict.reached.degraded = true;
  const auto is_degraded = [&] { return (*read_session::open(place.options()))->find_run(told.run)->degraded; };
  EXPECT_FALSE(is_degraded());
  must_write(*session, told.committed(1, "{}", {{"b", "x"}}, {verdict}));
  EXPECT_TRUE(is_degraded()) << "a crash may come now";
  auto pause = told.ended(run_state::paused, 1);
  pause.end.why.reset();
  must_write(*session, pause);
  EXPECT_TRUE(is_degraded());
  must_write(*session, told.resumed(1));
  EXPECT_TRUE(is_degraded());
}

}  // namespace
}  // namespace troupe
