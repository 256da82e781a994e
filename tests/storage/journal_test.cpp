// Supersteps as replay, diff and fork read them: whole, in pages, and with what is broken named.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

// A state whose copies are far apart: one large field, and a small one that changes.
std::string state_after(std::int64_t superstep) {
  return R"({"count":)" + std::to_string(superstep) + R"(,"large":")" + std::string(20'000, 'x') + R"("})";
}

class journal_test : public testing::Test {
 protected:
  void SetUp() override {
    const auto session = writer_on(place.options(), 0);
    auto created = line.created({{"step", "claude"}});
    created.initial_state = json_text{state_after(0)};
    created.state_hash = hash_of(created.initial_state);
    created.standing.steps = {{step_id{"step"}, {}}};
    must_write(*session, created);
    for (std::int64_t superstep = 1; superstep <= supersteps; ++superstep) {
      const auto task = line.task("step", "claude", superstep);
      auto started = line.started(task);
      started.request_hash = "sha256:asked";
      must_write(*session, started);
      must_write(*session, line.printed(task, "said " + std::to_string(superstep)));
      must_write(*session, line.finished(task, std::to_string(superstep)));
      auto closed = line.committed(superstep, state_after(superstep), {{"step", "claude"}});
      closed.deltas = json_text{R"([["step","claude","count",)" + std::to_string(superstep) + "]]"};
      closed.next.steps = {{step_id{"step"}, graph_path{}.then(0)}};
      must_write(*session, closed);
    }
  }

  std::vector<recorded_superstep> listed(std::int64_t from = 0, std::int64_t limit = 100) const {
    auto rows = reader()->list_supersteps(line.run, superstep_no{from}, limit);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? *std::move(rows) : std::vector<recorded_superstep>{};
  }

  std::unique_ptr<read_session> reader() const { return *read_session::open(place.options()); }

  void damage(const std::string& sql) const {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
    file.exec("PRAGMA ignore_check_constraints=ON");
    file.exec(sql);
  }

  // The only superstep with damage, and the first word of it; -1: none.
  std::pair<std::int64_t, std::string> damaged_row() const {
    for (const auto& row : listed()) {
      if (!row.damage.empty()) {
        return {row.row.superstep.value(), row.damage.front().message};
      }
    }
    return {-1, ""};
  }

  static constexpr std::int64_t supersteps = 6;
  temporary_database place;
  story line{"r-line"};
};

TEST_F(journal_test, has_all_that_was_recorded_of_a_superstep) {
  const auto rows = listed();
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_EQ(rows[0].row.superstep.value(), 0);
  EXPECT_EQ(rows[0].state->str(), state_after(0));
  EXPECT_TRUE(rows[0].row.tasks.empty());
  const auto& third = rows[3];
  EXPECT_EQ(third.state->str(), state_after(3));
  EXPECT_FALSE(third.is_copy) << "put together from changes";
  EXPECT_EQ(third.row.state_hash, hash_of(json_text{state_after(3)}));
  EXPECT_EQ(third.row.idempotency_key, "sha256:key-3");
  EXPECT_EQ(third.row.deltas.str(), R"([["step","claude","count",3]])");
  EXPECT_EQ(third.front, R"([["step","claude"]])");
  ASSERT_EQ(third.row.standing.steps.size(), 1U);
  EXPECT_EQ(third.row.standing.steps[0].path.str(), "0");
  ASSERT_EQ(third.row.tasks.size(), 1U);
  EXPECT_EQ(third.row.tasks[0].value->str(), "3");
  EXPECT_EQ(third.row.tasks[0].state, task_state::completed);
  ASSERT_EQ(third.attempts.size(), 1U);
  EXPECT_EQ(third.attempts[0].request_hash, "sha256:asked");
  EXPECT_EQ(third.attempts[0].standard_output, "said 3");
  EXPECT_EQ(third.attempts[0].exit_code, 0);
  EXPECT_TRUE(third.damage.empty());
  EXPECT_FALSE(rows[7].committed_at) << "the open one";
  EXPECT_FALSE(rows[7].state);
  EXPECT_EQ(rows[7].row.tasks.size(), 1U);
}

TEST_F(journal_test, comes_in_pages_that_are_the_whole) {
  const auto whole = listed();
  std::vector<recorded_superstep> joined;
  for (std::int64_t from = 0;;) {
    const auto page = listed(from, 3);
    if (page.empty()) {
      break;
    }
    EXPECT_LE(page.size(), 3U);
    joined.insert(joined.end(), page.begin(), page.end());
    from = page.back().row.superstep.value() + 1;
  }
  ASSERT_EQ(joined.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(joined[i].state, whole[i].state) << i;
    EXPECT_EQ(joined[i].attempts.size(), whole[i].attempts.size()) << i;
  }
  EXPECT_EQ(reader()->list_supersteps(run_id{"r-lin"}, {}, 1).error().code, error_code::not_found);
}

TEST_F(journal_test, a_row_that_is_gone_is_left_out_and_the_state_behind_it_is_not_guessed) {
  damage("PRAGMA foreign_keys=OFF");
  damage("DELETE FROM supersteps WHERE superstep = 3");
  const auto rows = listed();
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[3].row.superstep.value(), 4);
  EXPECT_FALSE(rows[3].state);
  EXPECT_EQ(rows[3].row.tasks.size(), 1U);
  EXPECT_FALSE(rows[3].damage.empty());
}

TEST_F(journal_test, what_cannot_be_read_is_named_and_the_rest_is_there) {
  const std::vector<std::pair<std::string, std::string>> planted{
      {"UPDATE supersteps SET changes = '[' WHERE superstep = 4", "its state cannot be put together"},
      {"UPDATE supersteps SET standing = '[]' WHERE superstep = 4", "its standing cannot be read"},
      {"UPDATE tasks SET deltas = '{' WHERE superstep = 4", "task r-line/4/step/claude"},
      {"UPDATE tasks SET route = '7' WHERE superstep = 4", "task r-line/4/step/claude"},
      {"UPDATE tasks SET error_code = 'UNHEARD_OF' WHERE superstep = 4", "task r-line/4/step/claude"},
      {"UPDATE attempts SET error_code = 'UNHEARD_OF' WHERE task_id = 'r-line/4/step/claude'", "attempt 1 of task"},
  };
  for (const auto& [sql, what] : planted) {
    SQLite::Database{place.path().string(), SQLite::OPEN_READWRITE}.exec("VACUUM INTO '" + place.path().string() +
                                                                         ".kept'");
    damage(sql);
    const auto [superstep, message] = damaged_row();
    EXPECT_EQ(superstep, 4) << sql;
    EXPECT_NE(message.find(what), std::string::npos) << sql << ": " << message;
    EXPECT_EQ(listed()[4].row.tasks.size(), 1U) << sql;
    std::filesystem::remove(place.path().string() + "-wal");
    std::filesystem::remove(place.path().string() + "-shm");
    std::filesystem::rename(place.path().string() + ".kept", place.path());
  }
}

TEST_F(journal_test, a_fork_begins_with_the_number_of_its_state) {
  story forked{"r-fork", 100};
  auto created = forked.created({});
  created.parent = line.run;
  created.forked_at = superstep_no{4};
  created.initial_state = json_text{state_after(4)};
  created.state_hash = hash_of(created.initial_state);
  created.front = forked.front_of(5, {{"step", "claude"}});
  created.standing.steps = {{step_id{"step"}, {}}};
  {
    const auto session = writer_on(place.options(), 0);
    must_write(*session, created);
    const auto task = forked.task("step", "claude", 5);
    must_write(*session, forked.started(task));
    must_write(*session, forked.finished(task, "5"));
    must_write(*session, forked.committed(5, state_after(5)));
  }
  const auto rows = *reader()->list_supersteps(forked.run, superstep_no{}, 100);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].row.superstep.value(), 4);
  EXPECT_EQ(rows[0].state->str(), state_after(4));
  EXPECT_EQ(rows[1].state->str(), state_after(5));
  const auto view = reader()->find_run(forked.run);
  EXPECT_EQ(view->supersteps, 5);
  EXPECT_EQ(view->steps, 1);
  EXPECT_EQ(view->parent, line.run);
  EXPECT_EQ(view->forked_at, superstep_no{4});
  EXPECT_EQ(view->result.str(), state_after(5));
  EXPECT_EQ(reader()->find_state(forked.run, superstep_no{4})->str(), state_after(4));
  EXPECT_EQ(reader()->find_state(forked.run, superstep_no{3}).error().code, error_code::not_found);
  const auto findings = check_database(place.options());
  EXPECT_TRUE(findings && findings->empty()) << (findings ? findings->front().text : findings.error().message);
  damage("UPDATE runs SET forked_at = 3 WHERE run_id = 'r-fork'");
  EXPECT_EQ(check_database(place.options())->front().rule, std::string{"supersteps"});
}

TEST_F(journal_test, a_run_and_what_it_is_pinned_to_are_found_although_its_rows_are_damaged) {
  damage("UPDATE supersteps SET state = '[', changes = '['");
  EXPECT_EQ(reader()->find_run(line.run).error().code, error_code::storage_corrupt);
  const auto pinned = reader()->find_pinned(line.run);
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->run.supersteps, supersteps);
  EXPECT_EQ(pinned->workflow_source, "name = \"review\"\n");
  EXPECT_EQ(pinned->config_source, "config_version = 1\n");
  EXPECT_EQ(pinned->config_hash, "sha256:config");
}

}  // namespace
}  // namespace troupe
