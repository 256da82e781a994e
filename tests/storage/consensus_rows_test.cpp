// What a verdict leaves in the tables of the original design, and what it does not leave there twice.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

class consensus_rows_test : public testing::Test {
 protected:
  // A run of one superstep with one agent, whose verdict is `given`.
  void write_run(const std::string& id, timestamp at, step_verdict given, std::optional<token_usage> usage = {}) {
    story told{id};
    const auto task = told.task("survey", "claude");
    must_write(*session, told.created());
    must_write(*session, told.started(task));
    auto done = told.finished(task, given.answers.front().value->str());
    done.outcome.usage = std::move(usage);
    must_write(*session, done);
    const auto value = given.reached.winner->str();
    auto last = told.committed(1, R"({"survey":)" + value + '}', {}, {std::move(given)});
    last.deltas = json_text{R"([["survey","claude","survey",)" + value + "]]"};
    last.at = at;
    must_write(*session, last);
  }

  std::vector<std::string> column(const std::string& query) const {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
    SQLite::Statement rows{file, query};
    std::vector<std::string> all;
    while (rows.executeStep()) {
      all.push_back(rows.isColumnNull(0) ? "null" : rows.getColumn(0).getString());
    }
    return all;
  }

  temporary_database place;
  std::unique_ptr<write_session> session = writer_on(place.options());
};

TEST_F(consensus_rows_test, of_one_moment_take_the_next_millisecond_that_is_free) {
  const auto at = [](int ms) { return at_second(100) + milliseconds{ms}; };
  int number = 0;
  for (const auto when : {at(0), at(2), at(3), at(0), at(0), at(9), at(2)}) {
    write_run("r-" + std::to_string(number++), when, story::alone("survey", "claude", "1"));
  }
  const auto first = std::chrono::floor<milliseconds>(at(0)).time_since_epoch().count();
  EXPECT_EQ(column("SELECT run_timestamp - " + std::to_string(first) + " FROM consensus_runs ORDER BY id"),
            (std::vector<std::string>{"0", "2", "3", "1", "4", "9", "5"}));
}

TEST_F(consensus_rows_test, name_the_model_that_the_usage_names_else_the_configured_one) {
  const token_usage reported{"claude-sonnet-4-5", 100, 20};
  const token_usage of_no_model{"", 100, 20};
  const auto configured = [](const std::string& model) {
    auto verdict = story::alone("survey", "claude", "1");
    verdict.answers.front().model = model;
    return verdict;
  };
  write_run("r-1", at_second(1), configured("sonnet"), reported);
  write_run("r-2", at_second(2), configured("sonnet"), of_no_model);
  write_run("r-3", at_second(3), configured("sonnet"));
  write_run("r-4", at_second(4), configured(""));
  EXPECT_EQ(column("SELECT model_version FROM agent_outputs ORDER BY id"),
            (std::vector<std::string>{"claude-sonnet-4-5", "sonnet", "sonnet", "null"}));
}

// Where else: the task's value, from which an open superstep is recovered; the delta, from which it is replayed.
TEST_F(consensus_rows_test, hold_a_large_value_once_each_and_the_verdict_does_not) {
  const std::string large = '"' + std::string(100'000, 'v') + '"';
  auto verdict = story::alone("survey", "claude", large);
  verdict.reached.dissent = {{json_text{large}, {agent_name{"claude"}}}, {json_text{"7"}, {agent_name{"codex"}}}};
  write_run("r-1", at_second(1), verdict);
  std::vector<std::string> holders;
  for (const auto& name :
       column("SELECT m.name || '.' || c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c"
              " WHERE m.type = 'table' ORDER BY 1")) {
    const auto dot = name.find('.');
    const auto bytes = count_of(place.path(),
                                "SELECT coalesce(max(length(CAST(\"" + name.substr(dot + 1) +
                                    "\" AS BLOB))), 0) FROM \"" + name.substr(0, dot) + '"');
    if (bytes >= static_cast<std::int64_t>(large.size())) {
      holders.push_back(name);
    }
  }
  EXPECT_EQ(holders,
            (std::vector<std::string>{"agent_outputs.content",
                                      "consensus_runs.synthesis_json",
                                      "supersteps.deltas",
                                      "supersteps.state",
                                      "tasks.value"}));
  EXPECT_EQ(
      column("SELECT verdict ->> 'dissent' FROM consensus_verdicts"),
      (std::vector<std::string>{R"([{"agents":["claude"],"value_bytes":100002},{"agents":["codex"],"value":7}])"}));
  EXPECT_TRUE(check_database(place.options())->empty());
  const auto run = (*read_session::open(place.options()))->find_run(run_id{"r-1"});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_TRUE(run->result.str() == R"({"survey":)" + large + '}');
}

}  // namespace
}  // namespace troupe
