// db migrate, backup and import: the database kept, brought forward, and filled from the older system.
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "tests/storage/older_database.hpp"
#include "tests/support/cli_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class cli_database_test : public cli_fixture {
 protected:
  /// As a Troupe of the first schema left it, with a consensus in it.
  void make_first_schema(const std::string& name) const {
    storage_options options;
    options.path = path(name);
    auto opened = database::open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    ASSERT_TRUE(migrate(*opened, migration_sources().first(1)));
    opened->connection().exec(
        "INSERT INTO consensus_runs (spec_id, stage, run_timestamp, consensus_ok, degraded) VALUES ('S', 'plan', 1, 1, "
        "0)");
    opened->tidy();
  }

  cli_process start_held(const latch& held) const {
    write("held.toml", "name = 'held'\n[[step]]\nid = 's'\nagent = 'held'\n");
    return start({"run",
                  "held.toml",
                  "--run-id",
                  "r1",
                  "--config",
                  write("held.config.toml", "[agents.held]\n" + held.command())});
  }

  std::string asked(const std::string& database, const std::string& query) const {
    return SQLite::Database{path(database), SQLite::OPEN_READONLY}.execAndGet(query).getString();
  }
};

TEST_F(cli_database_test, migrate_brings_an_older_file_forward_and_keeps_a_copy) {
  EXPECT_EQ(run({"db", "migrate"}).code, 2) << "there is none yet";
  EXPECT_FALSE(std::filesystem::exists(database_path()));
  make_first_schema("old.db");
  EXPECT_THAT(run({"db", "info", "--db", "old.db"}).err, HasSubstr("troupe db migrate"));
  const auto done = run({"db", "migrate", "--db", "old.db"});
  EXPECT_EQ(done.code, 0) << done.err;
  const auto latest = std::to_string(latest_version(migration_sources()));
  EXPECT_THAT(done.out, AllOf(HasSubstr("schema 1 is now schema " + latest), HasSubstr(path("old.db.backup-v1-1"))));
  EXPECT_EQ(asked("old.db", "PRAGMA user_version"), latest);
  EXPECT_EQ(asked("old.db.backup-v1-1", "PRAGMA user_version"), "1");
  EXPECT_EQ(asked("old.db.backup-v1-1", "SELECT count(*) FROM consensus_runs"), "1");
  EXPECT_EQ(asked("old.db", "SELECT count(*) FROM consensus_runs"), "1");
  EXPECT_THAT(run({"db", "migrate", "--db", "old.db"}).out, HasSubstr("nothing to do"));
  EXPECT_EQ(run({"db", "migrate", "--db", "old.db", "-q"}).out, "");
  EXPECT_EQ(run({"db", "check", "--db", "old.db"}).code, 0);
  make_first_schema("other.db");
  const auto json = json_of(run({"db", "migrate", "--db", "other.db", "--json"}).out);
  EXPECT_EQ(at(json, "/from"), "1");
  EXPECT_EQ(at(json, "/to"), latest);
  EXPECT_EQ(at(json, "/backups/0"), path("other.db.backup-v1-1"));
}

TEST_F(cli_database_test, migrate_refuses_a_newer_file_and_one_that_is_written) {
  make_first_schema("newer.db");
  SQLite::Database{path("newer.db"), SQLite::OPEN_READWRITE}.exec("PRAGMA user_version = 99");
  const auto newer = run({"db", "migrate", "--db", "newer.db", "--json"});
  EXPECT_EQ(newer.code, 7);
  EXPECT_EQ(at(json_of(newer.out), "/error/code"), "STORAGE_NEWER");
  const latch held{path("latch")};
  auto running = start_held(held);
  ASSERT_TRUE(running.wait_for("task.started"));
  const auto refused = run({"db", "migrate"});
  EXPECT_EQ(refused.code, 8);
  EXPECT_THAT(refused.err, HasSubstr("process " + std::to_string(running.pid())));
  write("x.db", "");
  EXPECT_EQ(run({"db", "import", "x.db"}).code, 2) << "what is wrong with it comes first";
  { older_database{path("old.db")}.fill(1, 3); }
  EXPECT_EQ(run({"db", "import", "old.db"}).code, 8);
  EXPECT_EQ(run({"db", "import", "old.db", "--dry-run"}).code, 0) << "which writes nothing";
  held.let_go();
  EXPECT_EQ(running.wait().code, 0);
}

TEST_F(cli_database_test, backup_copies_beside_a_run_that_goes_on) {
  EXPECT_EQ(run({"db", "backup", "copy.db"}).code, 2) << "there is nothing to copy";
  const latch held{path("latch")};
  auto running = start_held(held);
  ASSERT_TRUE(running.wait_for("task.started"));
  const auto made = run({"db", "backup", "copy.db"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr(path("copy.db")), HasSubstr("KiB"), HasSubstr("checked")));
  EXPECT_EQ(run({"db", "check", "--db", "copy.db"}).code, 0);
  EXPECT_EQ(asked("copy.db", "SELECT state FROM runs WHERE run_id = 'r1'"), "running");
  const auto taken = run({"db", "backup", "copy.db"});
  EXPECT_EQ(taken.code, 2);
  EXPECT_THAT(taken.err, HasSubstr("there is a file already"));
  const auto json = json_of(run({"db", "backup", "another.db", "--json"}).out);
  EXPECT_EQ(at(json, "/path"), path("another.db"));
  EXPECT_EQ(at(json, "/bytes"), std::to_string(std::filesystem::file_size(path("another.db"))));
  EXPECT_NE(at(json, "/duration_ms"), "nothing");
  EXPECT_EQ(run({"db", "backup", "quiet.db", "-q"}).out, "");
  EXPECT_TRUE(std::filesystem::exists(path("quiet.db")));
  EXPECT_EQ(run({"db", "backup", "no/such/folder.db"}).code, 7);
  held.let_go();
  EXPECT_EQ(running.wait().code, 0);
}

TEST_F(cli_database_test, import_tells_what_became_of_each_row) {
  {
    older_database old{path("old.db")};
    old.fill(11, 30);
    old.artefact("'S', 'plan', 'a', '1', NULL, NULL, 'some day'");
  }
  const auto rehearsed = run({"db", "import", "old.db", "--dry-run"});
  EXPECT_EQ(rehearsed.code, 0) << rehearsed.err;
  EXPECT_THAT(rehearsed.out,
              AllOf(HasSubstr("TO IMPORT"), HasSubstr("nothing was written"), Not(HasSubstr("not there"))));
  EXPECT_FALSE(std::filesystem::exists(database_path()));
  const auto done = run({"db", "import", "old.db"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.err, "");
  EXPECT_THAT(done.out,
              AllOf(HasSubstr("1 row of consensus_artifacts skipped, no time that can be read: 31"),
                    HasSubstr("0 mismatches")));
  const auto again = json_of(run({"db", "import", "old.db", "--json"}).out);
  EXPECT_EQ(at(again, "/tables/0/table"), "consensus_artifacts");
  EXPECT_EQ(at(again, "/tables/0/read"), "31");
  EXPECT_EQ(at(again, "/tables/0/imported"), "0");
  EXPECT_EQ(at(again, "/tables/0/already"), "30");
  EXPECT_EQ(at(again, "/tables/0/skipped_by_reason/0/reason"), "no_time");
  EXPECT_EQ(at(again, "/tables/0/skipped_by_reason/0/examples/0"), "31");
  EXPECT_EQ(at(again, "/mismatches"), "0");
  EXPECT_EQ(run({"db", "check"}).code, 0);
  EXPECT_EQ(run({"db", "import", "old.db", "-q"}).out, "");
}

TEST_F(cli_database_test, import_ends_with_an_error_where_the_databases_differ) {
  { older_database{path("old.db")}.fill(11, 30); }
  ASSERT_EQ(run({"db", "import", "old.db"}).code, 0);
  SQLite::Database{path("old.db"), SQLite::OPEN_READWRITE}.exec(
      "UPDATE consensus_artifacts SET content_json = '2' WHERE id = 7");
  for (const words& arguments : {words{"db", "import", "old.db"}, words{"db", "import", "old.db", "--dry-run", "-q"}}) {
    const auto found = run(arguments);
    EXPECT_EQ(found.code, 7);
    EXPECT_THAT(found.out, AllOf(HasSubstr("consensus_artifacts 7: it was changed"), HasSubstr("1 mismatch,")));
  }
  const auto json = json_of(run({"db", "import", "old.db", "--json"}).out);
  EXPECT_EQ(at(json, "/tables/0/changed"), "1");
  EXPECT_EQ(at(json, "/differences/0/row"), "7");
}

TEST_F(cli_database_test, import_shows_on_a_terminal_how_far_it_is_and_takes_it_away) {
  { older_database{path("old.db")}.fill(11, 30); }
  const auto shown = run_on_terminal({"db", "import", "old.db"});
  EXPECT_EQ(shown.code, 0);
  const auto given_back = shown.out.rfind("\x1b[?25h");
  ASSERT_NE(given_back, std::string::npos);
  EXPECT_THAT(shown.out.substr(0, given_back), HasSubstr("importing: 0 of "));
  EXPECT_THAT(shown.out.substr(given_back), AllOf(HasSubstr("0 mismatches"), Not(HasSubstr("importing"))));
}

}  // namespace
}  // namespace troupe
