// What rows say that providers have let us use.
#include "storage/provider_use.hpp"

#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace troupe {
namespace {

class provider_use_test : public testing::Test {
 protected:
  provider_use_test() {
    const auto session = writer_on(place_.options());
    story of{"r-1"};
    EXPECT_TRUE(session->begin());
    EXPECT_TRUE(session->apply(of.created()));
    EXPECT_TRUE(session->commit());
    task_ = of.task("survey", "claude");
  }

  void add(const std::string& provider, std::int64_t second, const std::string& rest) {
    SQLite::Database plain{place_.path().string(), SQLite::OPEN_READWRITE};
    plain.exec(
        "INSERT INTO attempts (task_id, attempt, epoch, state, started_at, provider, finished_at, input_estimate,"
        " output_estimate, input_tokens, output_tokens, error_code) VALUES ('" +
        task_.str() + "', " + std::to_string(++attempt_) + ", 1, 'failed', " +
        std::to_string(at_second(second).time_since_epoch().count()) + ", " + provider + ", 9, " + rest + ")");
  }

  provider_use use_of(const std::string& provider) {
    const auto session = read_session::open(place_.options());
    const auto uses =
        (*session)->find_provider_use({{provider_name{"x"}, provider_name{provider}}, at_second(40), at_second(0)});
    EXPECT_TRUE(uses);
    EXPECT_EQ(uses->size(), 2U);
    EXPECT_EQ(uses->front().requests_today, 0);
    return uses->back();
  }

  temporary_database place_;
  task_id task_;
  int attempt_ = 0;
};

TEST_F(provider_use_test, counts_the_day_and_lists_the_minute) {
  add("'p'", -1, "1, 1, 1, 1, NULL");          // of yesterday
  add("'p'", 0, "1, 1, 1, 1, NULL");           // of today
  add("'p'", 45, "10, 20, 11, 21, NULL");      // known
  add("'p'", 40, "10, 20, NULL, NULL, NULL");  // expected
  add("'p'", 50, "NULL, NULL, NULL, NULL, 'AGENT_EXIT'");
  add("'p'", 55, "10, 20, NULL, NULL, 'RATE_LIMITED'");  // refused before it worked
  add("'q'", 56, "10, 20, NULL, NULL, NULL");
  add("NULL", 57, "10, 20, NULL, NULL, NULL");
  const auto use = use_of("p");
  EXPECT_EQ(use.provider, provider_name{"p"});
  EXPECT_EQ(use.requests_today, 4);
  ASSERT_EQ(use.last_minute.size(), 3U);
  EXPECT_EQ(use.last_minute[0].started_at, at_second(40));
  EXPECT_EQ(use.last_minute[0].tokens.input, 10);
  EXPECT_EQ(use.last_minute[0].tokens.output, 20);
  EXPECT_EQ(use.last_minute[1].started_at, at_second(45));
  EXPECT_EQ(use.last_minute[1].tokens.input, 11);
  EXPECT_EQ(use.last_minute[1].tokens.output, 21);
  EXPECT_EQ(use.last_minute[2].tokens.input, 0);
  EXPECT_EQ(use_of("q").requests_today, 1);
  EXPECT_TRUE(use_of("nobody").last_minute.empty());
}

TEST_F(provider_use_test, looks_at_the_rows_of_the_provider_only) {
  SQLite::Database plain{place_.path().string(), SQLite::OPEN_READONLY};
  SQLite::Statement plan{plain,
                         "EXPLAIN QUERY PLAN SELECT count(*) FROM attempts WHERE provider = 'p' AND started_at >= 5 AND"
                         " error_code IS NOT 'RATE_LIMITED'"};
  ASSERT_TRUE(plan.executeStep());
  EXPECT_NE(plan.getColumn(3).getString().find("attempts_by_provider (provider=? AND started_at>?)"), std::string::npos)
      << plan.getColumn(3).getString();
}

}  // namespace
}  // namespace troupe
