// Attempts that fail because TROUPE_FAULTS says so: what their rows tell, and that nothing was started for them.
#include "tests/actors/run/run_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* one_function = R"(
name = "one"
[[step]]
id = "ask"
function = "count"
)";

class ordered_faults_in_runs_test : public run_fixture {
 protected:
  void begin_with(const std::string& faults, const std::string& toml) {
    house_.faults = *fault_plan::parse(faults);
    house_.functions["count"] = [this](const function_request&) -> result<function_reply> {
      ++calls_;
      return function_reply{json_text{"1"}, {}, {}, {}};
    };
    begin(toml);
  }

  // `CODE` and the message of each first attempt that failed, in the order of their tasks.
  std::vector<std::string> failed_attempts() {
    const SQLite::Database file{house_.database.path()};
    SQLite::Statement rows{file,
                           "SELECT error_code, error_message FROM attempts WHERE attempt = 1 AND state = 'failed' "
                           "ORDER BY task_id"};
    std::vector<std::string> all;
    while (rows.executeStep()) {
      all.push_back(rows.getColumn(0).getString() + ' ' + rows.getColumn(1).getString());
    }
    return all;
  }

  int calls_ = 0;
};

TEST_F(ordered_faults_in_runs_test, an_attempt_ends_by_it_and_starts_nothing) {
  begin_with("agent.429", one_agent);
  EXPECT_EQ(house_.processes->count(), 0U);
  const auto rows = failed_attempts();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front(),
            "RATE_LIMITED the provider asks to come back later: injected by TROUPE_FAULTS (agent.429: 1 of 1)");
  EXPECT_THAT(house_.seqs_are_gapless(), IsEmpty());
}

TEST_F(ordered_faults_in_runs_test, functions_are_agents_too) {
  begin_with("agent.timeout", one_function);
  EXPECT_EQ(calls_, 0);
  const auto rows = failed_attempts();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(rows.front(), HasSubstr("TASK_TIMEOUT the attempt ran out of time: injected by TROUPE_FAULTS"));
}

TEST_F(ordered_faults_in_runs_test, counts_are_exact_over_agents_that_run_at_once) {
  begin_with("agent.exit:2",
             "name = 'three'\n[[step]]\nid = 'ask'\nagents = ['a', 'b', 'c']\nprompt = 'hello'\n"
             "[step.consensus]\nstrategy = 'collect'\nquorum = 1\n");
  EXPECT_EQ(house_.processes->count(), 1U) << "the third one is nobody's concern";
  EXPECT_EQ(failed_attempts().size(), 2U);
  EXPECT_EQ(house_.faults->view().front().used, 2);
}

TEST_F(ordered_faults_in_runs_test, without_a_plan_nothing_is_asked) {
  begin_with("", one_agent);
  EXPECT_EQ(house_.processes->count(), 1U);
  EXPECT_THAT(failed_attempts(), IsEmpty());
}

}  // namespace
}  // namespace troupe
