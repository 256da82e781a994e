#include "storage/migrations.hpp"

#include "storage/database.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

namespace troupe {
namespace {

constexpr std::array steps{
    migration_source{1, "first", ""},
    migration_source{2, "second", "CREATE TABLE b (x); INSERT INTO b SELECT x * 10 FROM a;"},
    migration_source{3, "third", "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;"},
};

class migrations_test : public testing::Test {
 protected:
  static std::array<migration_source, 3> good() {
    auto sources = steps;
    sources[0].sql = "CREATE TABLE a (x); INSERT INTO a VALUES (1), (2);";
    return sources;
  }

  database must_open() {
    auto opened = database::open(place.options());
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  static std::int64_t version_of(database& opened) {
    return opened.connection().execAndGet("PRAGMA user_version").getInt64();
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{place.folder()}) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  temporary_database place;
};

TEST_F(migrations_test, brings_an_empty_file_to_the_last_version_without_a_copy) {
  auto opened = must_open();
  const auto sources = good();
  const auto report = migrate(opened, std::span{sources}.first(1));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->from, 0);
  EXPECT_EQ(report->to, 1);
  EXPECT_TRUE(report->backups.empty());
  EXPECT_EQ(version_of(opened), 1);
  EXPECT_EQ(opened.connection().execAndGet("PRAGMA application_id").getInt64(), database_application_id);
}

TEST_F(migrations_test, makes_no_copies_of_a_file_that_it_has_just_made) {
  auto opened = must_open();
  const auto sources = good();
  const auto report = migrate(opened, sources);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->to, 3);
  EXPECT_TRUE(report->backups.empty());
}

TEST_F(migrations_test, does_nothing_the_second_time) {
  auto opened = must_open();
  const auto sources = good();
  ASSERT_TRUE(migrate(opened, sources));
  const auto before = all_rows(place.path());
  const auto again = migrate(opened, sources);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->from, 3);
  EXPECT_EQ(again->to, 3);
  EXPECT_TRUE(again->backups.empty());
  EXPECT_EQ(all_rows(place.path()), before);
}

TEST_F(migrations_test, copies_a_file_with_data_before_each_step) {
  auto opened = must_open();
  const auto sources = good();
  ASSERT_TRUE(migrate(opened, std::span{sources}.first(1)));
  const auto before = all_rows(place.path());
  const auto report = migrate(opened, sources);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->backups.size(), 2U);
  EXPECT_EQ(report->backups[0].filename(), "troupe.db.backup-v1-1");
  EXPECT_EQ(report->backups[1].filename(), "troupe.db.backup-v2-1");
  EXPECT_EQ(all_rows(report->backups[0]), before);
  EXPECT_EQ(count_of(report->backups[0], "PRAGMA user_version"), 1);
  EXPECT_EQ(count_of(report->backups[0], "PRAGMA application_id"), database_application_id);
  EXPECT_EQ(count_of(report->backups[1], "SELECT sum(x) FROM b"), 30);
  EXPECT_EQ(count_of(place.path(), "SELECT sum(y) FROM a"), 5);
  struct stat facts {};
  ASSERT_EQ(::stat(report->backups[0].c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(migrations_test, leaves_only_the_copy_and_the_database) {
  {
    auto opened = must_open();
    const auto sources = good();
    ASSERT_TRUE(migrate(opened, std::span{sources}.first(1)));
    ASSERT_TRUE(migrate(opened, std::span{sources}.first(2)));
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"troupe.db", "troupe.db.backup-v1-1"}));
}

TEST_F(migrations_test, never_overwrites_an_older_copy) {
  auto opened = must_open();
  const auto sources = good();
  ASSERT_TRUE(migrate(opened, std::span{sources}.first(1)));
  std::ofstream{place.path().string() + ".backup-v1-1"} << "precious";
  const auto report = migrate(opened, std::span{sources}.first(2));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->backups.front().filename(), "troupe.db.backup-v1-2");
  EXPECT_EQ(bytes_of_file(place.path().string() + ".backup-v1-1"), "precious");
}

TEST_F(migrations_test, rolls_a_failing_step_back_whole) {
  auto opened = must_open();
  auto sources = good();
  sources[2].sql = "CREATE TABLE c (x); INSERT INTO c VALUES (1); INSERT INTO nowhere VALUES (1);";
  const auto report = migrate(opened, sources);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, error_code::internal);
  EXPECT_NE(report.error().message.find("migration 3 (third)"), std::string::npos) << report.error().message;
  EXPECT_EQ(version_of(opened), 2);
  EXPECT_EQ(opened.connection().execAndGet("SELECT count(*) FROM sqlite_schema WHERE name = 'c'").getInt(), 0);
  const auto repaired = good();
  ASSERT_TRUE(migrate(opened, repaired));
  EXPECT_EQ(version_of(opened), 3);
}

TEST_F(migrations_test, refuses_a_newer_file_and_leaves_it) {
  {
    auto opened = must_open();
    ASSERT_TRUE(migrate(opened, migration_sources()));
    opened.connection().exec("PRAGMA user_version=99");
  }
  const auto before = fingerprint_of(place.path());
  const auto refused = database::open(place.options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::storage_newer);
  EXPECT_NE(refused.error().message.find("99"), std::string::npos);
  EXPECT_EQ(code_of(write_session::open(place.options(), lease_epoch{1})), error_code::storage_newer);
  EXPECT_EQ(code_of(read_session::open(place.options())), error_code::storage_newer);
  EXPECT_EQ(fingerprint_of(place.path()), before);
}

TEST_F(migrations_test, refuses_a_file_beyond_the_steps_it_is_given) {
  auto opened = must_open();
  const auto sources = good();
  ASSERT_TRUE(migrate(opened, sources));
  EXPECT_EQ(code_of(migrate(opened, std::span{sources}.first(2))), error_code::storage_newer);
}

TEST_F(migrations_test, changes_nothing_when_the_copy_cannot_be_made) {
  auto opened = must_open();
  const auto sources = good();
  ASSERT_TRUE(migrate(opened, std::span{sources}.first(1)));
  fault_vfs disk{"migrations_test_disk"};
  auto options = place.options();
  options.vfs = disk.name();
  auto failing = database::open(options);
  ASSERT_TRUE(failing);
  disk.arm({fault_vfs::operation::write, 1, SQLITE_FULL, true, ".partial-" + std::to_string(::getpid())});
  EXPECT_EQ(code_of(migrate(*failing, sources)), error_code::storage_full);
  EXPECT_TRUE(disk.heal());
  EXPECT_EQ(version_of(opened), 1);
  EXPECT_FALSE(std::filesystem::exists(place.path().string() + ".backup-v1-1"));
  for (const auto& name : files()) {
    EXPECT_EQ(name.find("partial"), std::string::npos) << name;
  }
}

TEST_F(migrations_test, brings_every_published_schema_to_the_latest) {
  {
    auto opened = must_open();
    ASSERT_TRUE(migrate(opened, migration_sources()));
    EXPECT_EQ(version_of(opened), latest_version(migration_sources()));
  }
  story told{"r-1"};
  auto session = writer_on(place.options());
  must_write(*session, told.created());
}

// The file of the first release, with a run in it that is not over: carried over whole, and gone on with.
TEST_F(migrations_test, carries_the_first_schema_with_data_to_the_last) {
  const temporary_database now;
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  const std::vector<write_command> before{told.created(), told.started(task), told.printed(task, "x")};
  const std::vector<write_command> after{told.finished(task, "1"),
                                         told.committed(1, "{}", {}, {story::alone("survey", "claude", "1")})};
  {
    auto session = writer_on(now.options());
    for (const auto& command : before) {
      must_write(*session, command);
    }
  }
  {
    auto old = must_open();
    ASSERT_TRUE(migrate(old, migration_sources().first(1)));
    SQLite::Database{now.path().string(), SQLite::OPEN_READWRITE}.exec(
        "UPDATE supersteps SET standing = NULL; UPDATE tasks SET order_key = NULL");  // what the first could not know
    old.connection().exec("ATTACH '" + now.path().string() + "' AS source; PRAGMA defer_foreign_keys = ON; BEGIN;");
    SQLite::Statement tables{old.connection(),
                             "SELECT t.name, group_concat(c.name) FROM main.sqlite_schema AS t,"
                             " pragma_table_info(t.name, 'main') AS c WHERE t.type = 'table'"
                             " AND t.name NOT LIKE 'sqlite_%' AND t.name IN (SELECT name FROM source.sqlite_schema)"
                             " GROUP BY t.name"};
    std::string copy = "PRAGMA defer_foreign_keys = ON;";
    while (tables.executeStep()) {
      const auto table = tables.getColumn(0).getString();
      const auto columns = tables.getColumn(1).getString();
      copy += "INSERT INTO main." + table + " (" + columns + ") SELECT " + columns + " FROM source." + table + ';';
    }
    tables.reset();
    old.connection().exec(copy + "COMMIT; DETACH source");
  }
  auto session = writer_on(place.options());
  EXPECT_EQ(all_rows(place.path()), all_rows(now.path()));
  EXPECT_TRUE(std::filesystem::exists(place.path().string() + ".backup-v1-1"));
  auto today = writer_on(now.options());
  for (const auto& command : after) {
    must_write(*session, command);
    must_write(*today, command);
  }
  EXPECT_EQ(all_rows(place.path()), all_rows(now.path()));
  const auto definitions =
      "SELECT group_concat(sql, char(10)) FROM"
      " (SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name)";
  SQLite::Database carried{place.path().string()};
  SQLite::Database made{now.path().string()};
  EXPECT_TRUE(carried.execAndGet(definitions).getString() == made.execAndGet(definitions).getString());
  EXPECT_EQ(carried.execAndGet("PRAGMA integrity_check").getString(), "ok");
  for (const auto* wrong : {"UPDATE events SET kind = 'task.forgotten'",
                            "UPDATE write_keys SET kind = 'start'",
                            "UPDATE tasks SET state = 'lost'",
                            "UPDATE attempts SET state = 'lost'"}) {
    EXPECT_THROW(carried.exec(wrong), SQLite::Exception) << wrong;
  }
  const auto lists =
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('events', 'write_keys', 'tasks', 'attempts')"
      " AND (sql LIKE '%kind IN (%' OR sql LIKE '%CHECK (state IN (%')";
  EXPECT_EQ(carried.execAndGet(lists).getInt(), 0);
}

}  // namespace
}  // namespace troupe
