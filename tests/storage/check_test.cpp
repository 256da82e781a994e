#include "storage/check.hpp"

#include "storage/database.hpp"
#include "storage/invariants.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/gate_material.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>
#include <map>
#include <ostream>
#include <set>
#include <string>

namespace troupe {

// How GoogleTest prints a finding.
void PrintTo(const finding& found, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << found.rule << ": " << found.text;
}

namespace {

class check_test : public testing::Test {
 protected:
  void SetUp() override {
    auto session = writer_on(place.options(), 0);
    const auto task = ended.task("survey", "claude");
    must_write(*session, ended.created());
    must_write(*session, ended.started(task));
    must_write(*session, ended.printed(task, "text"));
    must_write(*session, ended.finished(task, "1"));
    must_write(*session, ended.committed(1, R"({"findings":["x"]})", {}, {story::alone("survey", "claude", "1")}));
    auto first = open.created();
    first.gates = {gate_at("approve")};
    must_write(*session, first);
    must_write(*session, open.started(open.task("survey", "claude")));
    must_write(*session, open.interrupted(open.task("survey", "claude")));
    must_write(*session, open.started(open.task("survey", "claude"), 2));
  }

  void damage(const std::string& sql) const {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
    file.exec("PRAGMA ignore_check_constraints=ON");
    file.exec(sql);
  }

  std::vector<finding> check() const {
    auto findings = check_database(place.options());
    EXPECT_TRUE(findings) << findings.error().message;
    return findings ? *std::move(findings) : std::vector<finding>{};
  }

  temporary_database place;
  story ended{"r-ended"};
  story open{"r-open", 100};
};

TEST_F(check_test, finds_nothing_in_a_sound_database) { EXPECT_EQ(check().size(), 0U); }

struct planted {
  const char* rule;
  const char* sql;
};

void PrintTo(const planted& one, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << one.rule << " by " << one.sql;
}

class planted_damage : public check_test, public testing::WithParamInterface<planted> {};

TEST_P(planted_damage, is_found_and_named) {
  damage(GetParam().sql);
  const auto findings = check();
  std::set<std::string> rules;
  for (const auto& found : findings) {
    rules.insert(found.rule);
  }
  EXPECT_TRUE(rules.contains(GetParam().rule)) << GetParam().sql << " gave " << testing::PrintToString(findings);
}

constexpr planted damages[] = {
    {"foreign_key", "PRAGMA foreign_keys=OFF; DELETE FROM workflows"},
    {"integrity", "UPDATE runs SET state = 'dreaming' WHERE run_id = 'r-open'"},
    {"final_event", "DELETE FROM events WHERE run_id = 'r-ended' AND kind = 'run.completed'"},
    {"final_event", "UPDATE runs SET state = 'failed' WHERE run_id = 'r-ended'"},
    {"final_event", "UPDATE runs SET state = 'running', finished_at = NULL WHERE run_id = 'r-ended'"},
    {"final_event",
     "INSERT INTO events (run_id, seq, time, kind, data) VALUES ('r-ended', 8, 0, 'task.queued', '{}');"
     "UPDATE runs SET last_seq = 8 WHERE run_id = 'r-ended'"},
    {"event_seq", "DELETE FROM events WHERE run_id = 'r-open' AND seq = 1"},
    {"event_seq", "DELETE FROM events WHERE run_id = 'r-open' AND seq = 3"},
    {"event_seq", "DELETE FROM events WHERE run_id = 'r-open'"},
    {"event_seq", "UPDATE runs SET last_seq = last_seq + 1 WHERE run_id = 'r-open'"},
    {"task_final_event", "DELETE FROM events WHERE run_id = 'r-ended' AND kind = 'task.completed'"},
    {"task_final_event",
     "INSERT INTO events (run_id, seq, time, kind, task_id, data) SELECT run_id, 99, 0, kind, task_id, data FROM events"
     " WHERE run_id = 'r-ended' AND kind = 'task.completed'"},
    {"task_final_event", "UPDATE events SET kind = 'task.failed' WHERE kind = 'task.completed'"},
    {"task_final_event", "UPDATE tasks SET state = 'queued', finished_at = NULL WHERE run_id = 'r-ended'"},
    {"task_of_final_run", "UPDATE tasks SET state = 'queued', finished_at = NULL WHERE run_id = 'r-ended'"},
    {"running_epoch", "UPDATE runs SET epoch = 1 WHERE run_id = 'r-open'"},
    {"running_epoch",
     "INSERT INTO lease VALUES (1, 1, 1, 'here', 0); UPDATE runs SET epoch = 2 WHERE run_id = 'r-ended'"},
    {"attempts", "UPDATE tasks SET attempt = 3 WHERE run_id = 'r-open'"},
    {"attempts", "DELETE FROM attempts WHERE state = 'interrupted'"},
    {"attempts", "UPDATE attempts SET state = 'running', finished_at = NULL WHERE state = 'interrupted'"},
    {"attempts", "UPDATE attempts SET state = 'failed', finished_at = 1 WHERE state = 'running'"},
    {"supersteps", "UPDATE runs SET supersteps = 0 WHERE run_id = 'r-ended'"},
    {"supersteps", "UPDATE supersteps SET committed_at = NULL WHERE run_id = 'r-ended' AND superstep = 0"},
    {"superstep_tasks", "UPDATE supersteps SET committed_at = 1 WHERE run_id = 'r-open' AND superstep = 1"},
    {"consensus", "UPDATE consensus_runs SET degraded = 1"},
    {"consensus", "UPDATE consensus_runs SET consensus_ok = 0"},
    {"consensus", "DELETE FROM agent_outputs"},
    {"blob", "INSERT INTO blobs VALUES (printf('%064d', 0), 5, 0)"},
    {"blob", "INSERT INTO blobs VALUES ('../troupe.db', 5, 0)"},
    {"blob_bytes",
     "INSERT INTO blobs VALUES (printf('%064d', 0), 5, 0);"
     "UPDATE attempt_output SET stdout = NULL, stdout_hash = printf('%064d', 0)"},
    {"blob_bytes",
     "INSERT INTO blobs VALUES (printf('%064d', 0), 5, 0);"
     "UPDATE attempt_output SET stderr = NULL, stderr_hash = printf('%064d', 0)"},
    {"timers",
     "INSERT INTO timers (run_id, task_id, kind, attempt, due_at, state, set_at) SELECT run_id, task_id, 'retry', 1, 9,"
     " 'waiting', 1 FROM tasks WHERE run_id = 'r-ended'"},
    {"timers", "INSERT INTO timers (run_id, kind, due_at, state, set_at) VALUES ('r-open', 'quota', 9, 'waiting', 1)"},
    {"timers",
     "INSERT INTO timers (run_id, kind, due_at, state, set_at) VALUES ('r-open', 'gate', 9, 'waiting', 1);"
     "INSERT INTO timers (run_id, kind, due_at, state, set_at) VALUES ('r-open', 'gate', 9, 'waiting', 1)"},
    {"gates", "UPDATE runs SET state = 'cancelled' WHERE run_id = 'r-open'"},
    {"gates", "UPDATE gates SET state = 'approved', closed_at = 1"},
    {"gates", "INSERT INTO gate_decisions VALUES (1, 'ann', 1, 'approved', NULL, NULL, NULL, 1)"},
    {"gates",
     "UPDATE gates SET kind = 'crash', task_id = 'r-open/1/survey/claude';"
     "UPDATE supersteps SET committed_at = 1 WHERE run_id = 'r-open' AND superstep = 1"},
    {"gates", "UPDATE gates SET state = 'rejected', closed_at = 1, taken_at = 1"},
    {"gates", "UPDATE gates SET state = 'rejected', closed_at = 1, taken_at = 0"},
    {"gates",
     "UPDATE gates SET state = 'rejected', closed_at = 1;"
     "INSERT INTO timers (run_id, gate_id, kind, due_at, state, set_at) VALUES ('r-open', 1, 'gate', 9, 'waiting', 1)"},
    {"keys", "UPDATE write_keys SET last_seq = 99 WHERE run_id = 'r-open' AND kind = 'create_run'"},
    {"keys", "UPDATE write_keys SET last_seq = 0 WHERE run_id = 'r-open' AND kind = 'create_run'"},
    {"budgets",
     "INSERT INTO budgets (scope, scope_key, unit, ceiling, reserved, changed_at) VALUES ('run', 'r-open', 'tokens', 9,"
     " 5, 1)"},
    {"budgets",
     "INSERT INTO budgets (scope, scope_key, unit, ceiling, reserved, changed_at) VALUES ('day', 'd', 'tokens', 9, 5, "
     "1);"
     "INSERT INTO budget_reservations SELECT task_id, 1, 'day', 'd', 'tokens', 5 FROM tasks WHERE run_id = 'r-ended'"},
    {"import",
     "INSERT INTO consensus_runs VALUES (99, 'S', 'plan', 1, 0, 0, NULL); INSERT INTO import_sources VALUES (1, 'x', "
     "1);"
     "INSERT INTO imported_rows SELECT 'agent_executions', 'e', 1, zeroblob(32), 99, id, '{}', 1 FROM agent_outputs"},
    {"state", "UPDATE supersteps SET state = '{\"findings\":[]}' WHERE run_id = 'r-ended' AND superstep = 1"},
    {"state", "UPDATE supersteps SET state = '[]' WHERE run_id = 'r-ended' AND superstep = 1"},
    {"state", "UPDATE runs SET state_hash = 'sha256:0' WHERE run_id = 'r-open'"},
};

INSTANTIATE_TEST_SUITE_P(check, planted_damage, testing::ValuesIn(damages));

TEST(check_rules, are_each_shown_to_find_their_damage) {
  std::set<std::string> shown;
  for (const auto& one : damages) {
    shown.insert(one.rule);
  }
  for (const auto& invariant : stored_invariants()) {
    EXPECT_TRUE(shown.contains(invariant.rule)) << invariant.rule;
  }
}

TEST_F(check_test, finds_a_damaged_page) {
  auto bytes = bytes_of_file(place.path());
  const auto page =
      static_cast<std::size_t>(count_of(place.path(), "SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'"));
  bytes.replace((page - 1) * 4096, 200, std::string(200, '\xEE'));
  std::ofstream{place.path(), std::ios::binary} << bytes;
  const auto findings = check();
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings.front().rule, "integrity");
}

TEST_F(check_test, finds_a_damaged_schema) {
  auto bytes = bytes_of_file(place.path());
  bytes.replace(100, 300, std::string(300, '\xEE'));
  std::ofstream{place.path(), std::ios::binary} << bytes;
  const auto findings = check();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().rule, "integrity");
}

TEST_F(check_test, finds_a_file_that_was_cut) {
  std::filesystem::resize_file(place.path(), std::filesystem::file_size(place.path()) / 2);
  const auto findings = check();
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings.front().rule, "integrity");
}

TEST_F(check_test, says_so_when_there_is_nothing_to_check) {
  auto options = place.options();
  options.path = place.folder() / "nowhere.db";
  EXPECT_EQ(code_of(check_database(options)), error_code::storage_unavailable);
}

TEST_F(check_test, describes_the_database) {
  const auto info = describe_database(place.options());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->path, place.path());
  EXPECT_EQ(info->file_bytes, info->page_size * info->page_count);
  EXPECT_EQ(info->schema_version, info->latest_schema_version);
  EXPECT_EQ(info->epoch, lease_epoch{0});
  EXPECT_EQ(info->last_holder, std::nullopt);
  ASSERT_EQ(info->runs.size(), 6U);
  EXPECT_EQ(info->runs[1], (std::pair{run_state::running, std::int64_t{1}}));
  EXPECT_EQ(info->runs[3], (std::pair{run_state::completed, std::int64_t{1}}));
  const auto pragmas = std::map<std::string, std::string>(info->pragmas.begin(), info->pragmas.end());
  EXPECT_EQ(pragmas.at("journal_mode"), "wal");
  EXPECT_EQ(pragmas.at("auto_vacuum"), "2");
  const auto rows = std::map<std::string, std::int64_t>(info->rows.begin(), info->rows.end());
  EXPECT_EQ(rows.at("tasks"), 2);
  EXPECT_EQ(rows.at("events"), 13);
}

TEST_F(check_test, backs_up_while_somebody_writes) {
  auto session = writer_on(place.options(), 0);
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(open.finished(open.task("survey", "claude"), "1", 2)));
  const auto copy = place.folder() / "copy.db";
  ASSERT_TRUE(backup_database(place.options(), copy));
  ASSERT_TRUE(session->commit());
  struct stat facts {};
  ASSERT_EQ(::stat(copy.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  auto options = place.options();
  options.path = copy;
  EXPECT_TRUE(check_database(options)->empty());
  EXPECT_EQ(count_of(copy, "SELECT count(*) FROM runs"), 2);
  EXPECT_EQ(count_of(copy, "SELECT last_seq FROM runs WHERE run_id = 'r-open'"), 6);
}

TEST_F(check_test, never_backs_up_over_a_file) {
  const auto copy = place.folder() / "copy.db";
  std::ofstream{copy} << "precious";
  EXPECT_EQ(code_of(backup_database(place.options(), copy)), error_code::duplicate_id);
  EXPECT_EQ(bytes_of_file(copy), "precious");
  EXPECT_EQ(code_of(backup_database(place.options(), place.folder() / "no" / "copy.db")),
            error_code::storage_unavailable);
}

TEST_F(check_test, does_not_keep_a_copy_of_a_damaged_database) {
  auto bytes = bytes_of_file(place.path());
  const auto page =
      static_cast<std::size_t>(count_of(place.path(), "SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'"));
  bytes.replace((page - 1) * 4096, 200, std::string(200, '\xEE'));
  std::ofstream{place.path(), std::ios::binary} << bytes;
  const auto copy = place.folder() / "copy.db";
  EXPECT_EQ(code_of(backup_database(place.options(), copy)), error_code::storage_corrupt);
  EXPECT_FALSE(std::filesystem::exists(copy));
}

}  // namespace
}  // namespace troupe
