// What docs/schema.md says is what a database has.
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "tests/storage/schema_page.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/kept_document.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr const char* page_path = "docs/schema.md";

class documents : public testing::Test {
 protected:
  documents() {
    auto opened = database::open(place.options());
    EXPECT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(migrate(*opened, migration_sources()));
  }

  temporary_database place;
};

TEST_F(documents, schema_is_what_a_new_database_has) {
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  const auto page = make_schema_page(file, bytes_of_file(std::string{TROUPE_SOURCE_DIR} + '/' + page_path));
  EXPECT_EQ(difference_to_kept(page_path, page.text), "");
  EXPECT_THAT(page.missing, testing::IsEmpty()) << "without a meaning in " << page_path << ": write it there";
  EXPECT_THAT(page.unknown, testing::IsEmpty()) << "in " << page_path << " and not in the database";
}

TEST_F(documents, schema_page_misses_what_has_no_meaning_and_what_is_gone) {
  SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
  const auto page = make_schema_page(file, bytes_of_file(std::string{TROUPE_SOURCE_DIR} + '/' + page_path)).text;
  file.exec("ALTER TABLE runs ADD COLUMN colour TEXT");
  file.exec("CREATE INDEX runs_by_colour ON runs (colour)");
  file.exec("CREATE TABLE extra (a TEXT NOT NULL PRIMARY KEY) STRICT");
  file.exec("ALTER TABLE lease DROP COLUMN host");
  const auto changed = make_schema_page(file, page);
  EXPECT_NE(changed.text, page);
  EXPECT_THAT(changed.missing, testing::ElementsAre("runs.colour", "runs_by_colour", "extra", "extra.a"));
  EXPECT_THAT(changed.unknown, testing::ElementsAre("lease.host"));
}

TEST_F(documents, every_table_is_strict) {
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  SQLite::Statement row{
      file, "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict"};
  while (row.executeStep()) {
    ADD_FAILURE() << row.getColumn(0).getString() << " is not STRICT";
  }
}

}  // namespace
}  // namespace troupe
