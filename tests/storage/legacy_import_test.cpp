// The import as a whole: an older database in, rows of ours out, and both read again.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "storage/legacy_compare.hpp"
#include "storage/legacy_writer.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/older_database.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Transaction.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct imported {
  legacy_counts counts;
  legacy_comparison compared;
  std::array<legacy_table_facts, legacy_tables.size()> tables;

  std::int64_t sum(std::int64_t legacy_tally::*what) const {
    std::int64_t all = 0;
    for (const auto& each : counts.tables) {
      all += each.*what;
    }
    return all;
  }
  std::int64_t skipped(legacy_table table, legacy_skip why) const {
    const auto& all = tables.at(static_cast<std::size_t>(table)).skipped;
    const auto found = all.find(why);
    return found == all.end() ? 0 : static_cast<std::int64_t>(found->second.size());
  }
};

result<imported> import_into(const storage_options& options,
                             const std::filesystem::path& from,
                             const std::filesystem::path& scratch) {
  auto source = legacy_source::open(from, scratch);
  if (!source) {
    return source.error();
  }
  auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  if (!taken) {
    return taken.error();
  }
  auto writer = legacy_writer::open(options, taken->epoch(), *source);
  if (!writer) {
    return writer.error();
  }
  if (auto started = (*writer)->start(at_second(0)); !started) {
    return started.error();
  }
  while (!(*writer)->is_done()) {
    if (auto written = (*writer)->write_batch(at_second(1)); !written) {
      return written.error();
    }
  }
  auto compared = compare_legacy(options, *source);
  if (!compared) {
    return compared.error();
  }
  if (auto ended = (*writer)->finish(at_second(2), legacy_writer::outcome::complete, json_text{"{}"}); !ended) {
    return ended.error();
  }
  imported all{(*writer)->counts(), *std::move(compared), {}};
  for (const auto table : legacy_tables) {
    all.tables.at(static_cast<std::size_t>(table)) = source->facts(table);
    const auto& facts = source->facts(table);
    std::int64_t sum = all.counts.of(table).imported + all.counts.of(table).already + all.counts.of(table).changed;
    for (const auto& [why, keys] : facts.skipped) {
      sum += static_cast<std::int64_t>(keys.size());
    }
    EXPECT_EQ(sum, facts.read) << "each row of " << to_string(table) << " is in one place";
  }
  return all;
}

class legacy_import_test : public testing::Test {
 protected:
  legacy_import_test() { std::filesystem::create_directory(scratch()); }

  std::filesystem::path old_path() const { return old_.path() / "consensus.db"; }
  std::filesystem::path scratch() const { return folder_ / "scratch"; }

  result<imported> try_import(const std::filesystem::path& from) const {
    return import_into(place.options(), from, scratch());
  }
  imported must_import(const std::filesystem::path& from) const {
    auto outcome = try_import(from);
    EXPECT_TRUE(outcome) << outcome.error().message;
    EXPECT_THAT(files_in(scratch()), IsEmpty());
    return outcome ? *std::move(outcome) : imported{};
  }
  imported must_import() const { return must_import(old_path()); }

  static std::vector<std::string> files_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator{folder}) {
      names.push_back(each.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  /// The tables that an import fills, without the times of the import itself.
  static std::string rows_of(const std::filesystem::path& path) {
    SQLite::Database file{path.string(), SQLite::OPEN_READONLY};
    std::string text;
    for (const char* const query :
         {"SELECT * FROM consensus_runs ORDER BY id",
          "SELECT * FROM agent_outputs ORDER BY id",
          "SELECT table_name, row_key, source_id, hex(content_hash), consensus_id, agent_output_id, rest FROM"
          " imported_rows ORDER BY table_name, row_key",
          "SELECT * FROM import_sources ORDER BY id"}) {
      SQLite::Statement rows{file, query};
      while (rows.executeStep()) {
        for (int i = 0; i < rows.getColumnCount(); ++i) {
          text += (rows.isColumnNull(i) ? "NULL" : rows.getColumn(i).getString()) + '|';
        }
        text += '\n';
      }
    }
    return text;
  }

  std::int64_t count(const std::string& query) const { return count_of(place.path(), query); }
  std::string text(const std::string& query) const {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
    return file.execAndGet(query).getString();
  }

  temporary_database place;

 private:
  temporary_folder old_;
  temporary_folder folder_;
};

// --- What arrives ----------------------------------------------------------------------------------------------------

TEST_F(legacy_import_test, brings_a_consensus_with_its_outputs_below_it) {
  {
    older_database old{old_path()};
    old.artefact("'SPEC-1', 'plan', 'gemini', '{\"go\": true}', 'raw one', 'run-1', '2025-10-18 12:34:56'");
    old.artefact("'SPEC-1', 'plan', 'claude', NULL, 'only text', 'run-1', 1760790897123");
    old.synthesis("'SPEC-1', 'plan', '# Plan', '/out/plan.md', 'ok', 2, '[\"a\"]', NULL, 1, 'run-1', 1760790899");
    old.execution(
        "'ag-1', 'SPEC-1', 'plan', 'quality', 'gemini', 'run-1', 'b1', 1760790800, 1760790896, 'raw one', NULL");
    old.execution("'ag-2', 'SPEC-1', 'plan', 'quality', 'gpt', 'run-1', 'b1', 1760790800, NULL, NULL, 'no JSON'");
  }
  const auto outcome = must_import();
  EXPECT_EQ(outcome.sum(&legacy_tally::imported), 5);
  EXPECT_EQ(outcome.counts.consensuses, 1);
  EXPECT_EQ(outcome.counts.outputs, 2);
  EXPECT_EQ(outcome.compared.different() + outcome.compared.absent(), 0);
  EXPECT_EQ(text("SELECT spec_id || ' ' || stage || ' ' || run_timestamp || ' ' || consensus_ok || ' ' || degraded FROM"
                 " consensus_runs"),
            "SPEC-1 plan 1760790800000 1 1");
  EXPECT_EQ(text("SELECT synthesis_json FROM consensus_runs"),
            R"({"agreements":"[\"a\"]","artifacts_count":2,"created_at":1760790899,"degraded":1,"id":1,)"
            R"("output_markdown":"# Plan","output_path":"/out/plan.md","run_id":"run-1","status":"ok"})");
  EXPECT_EQ(text("SELECT group_concat(agent_name || ' ' || coalesce(model_version, 'NULL') || ' ' || content || ' ' ||"
                 " output_timestamp, '; ') FROM agent_outputs"),
            "gemini NULL {\"go\": true} 1760790896000; claude NULL only text 1760790897123");
  EXPECT_EQ(text("SELECT rest FROM imported_rows WHERE table_name = 'consensus_artifacts' AND row_key = '1'"),
            R"({"created_at":"2025-10-18 12:34:56","id":1,"response_text":"raw one","run_id":"run-1"})");
  EXPECT_EQ(count("SELECT agent_output_id FROM imported_rows WHERE row_key = 'ag-1'"), 1);
  EXPECT_EQ(text("SELECT coalesce(agent_output_id, 'none') || rest FROM imported_rows WHERE row_key = 'ag-2'"),
            R"(none{"agent_id":"ag-2","agent_name":"gpt","branch_id":"b1","extraction_error":"no JSON",)"
            R"("phase_type":"quality","run_id":"run-1","spawned_at":1760790800})");
  EXPECT_EQ(text("SELECT kind || ' ' || succeeded || ' ' || finished_at FROM maintenance"),
            "import 1 " + std::to_string(at_second(2).time_since_epoch().count()));
  EXPECT_THAT(*check_database(place.options()), IsEmpty());
}

TEST_F(legacy_import_test, brings_many_rows_and_finds_no_difference) {
  for (const std::int64_t size : {100, 10'000}) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(size) + " artefacts");
    const temporary_database target;
    const auto path = scratch() / "many.db";
    older_database{path}.fill(seed, size);
    const auto outcome = import_into(target.options(), path, scratch());
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->counts.of(legacy_table::artefacts).imported, size);
    EXPECT_EQ(outcome->compared.absent(), 0);
    EXPECT_EQ(outcome->compared.different(), 0);
    EXPECT_EQ(outcome->compared.of(legacy_table::artefacts).same, size);
    EXPECT_GE(outcome->counts.outputs, size);
    EXPECT_EQ(count_of(target.path(), "SELECT count(*) FROM agent_outputs"), outcome->counts.outputs);
    EXPECT_THAT(*check_database(target.options()), IsEmpty());
    const auto before = rows_of(target.path());
    const auto again = import_into(target.options(), path, scratch());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->sum(&legacy_tally::imported), 0);
    EXPECT_EQ(again->sum(&legacy_tally::already), outcome->sum(&legacy_tally::imported));
    EXPECT_EQ(rows_of(target.path()), before) << "run twice it adds nothing";
    std::filesystem::remove(path);
  }
}

TEST_F(legacy_import_test, keeps_consensuses_of_one_moment_apart_and_those_of_others_as_they_are) {
  {
    older_database old{old_path()};
    for (const char* const run : {"r1", "r2", "r3"}) {
      old.artefact("'SPEC-7', 'survey', 'a', '1', NULL, '" + std::string{run} + "', 1760790896");
    }
  }
  {
    auto taken = lease::acquire(place.options(), {::getpid(), "here", at_second(0)});
    ASSERT_TRUE(taken);
  }
  SQLite::Database{place.path().string(), SQLite::OPEN_READWRITE}.exec(
      "INSERT INTO consensus_runs (spec_id, stage, run_timestamp, consensus_ok, degraded) VALUES"
      " ('SPEC-7', 'survey', 1760790896001, 1, 0), ('SPEC-7', 'survey', 1795245000000, 1, 0)");
  const auto outcome = must_import();
  EXPECT_EQ(outcome.counts.consensuses, 3);
  EXPECT_EQ(
      text("SELECT group_concat(id || ' ' || run_timestamp, ', ') FROM (SELECT * FROM consensus_runs ORDER BY id)"),
      "1 1760790896001, 2 1795245000000, 3 1760790896000, 4 1760790896002, 5 1760790896003");
  EXPECT_EQ(outcome.compared.different() + outcome.compared.absent(), 0);
}

// --- Again -----------------------------------------------------------------------------------------------------------

TEST_F(legacy_import_test, brings_only_what_is_new_of_a_file_that_has_grown_and_was_moved) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  older_database{old_path()}.fill(seed, 300);
  const auto first = must_import();
  const auto moved = scratch().parent_path() / "moved.db";
  std::filesystem::copy_file(old_path(), moved);
  older_database{moved}.fill(seed + 1, 90, 300);
  const auto second = must_import(moved);
  EXPECT_EQ(second.sum(&legacy_tally::already), first.sum(&legacy_tally::imported));
  EXPECT_EQ(second.counts.of(legacy_table::artefacts).imported, 90);
  EXPECT_EQ(second.compared.different() + second.compared.absent(), 0);
  EXPECT_EQ(count("SELECT count(*) FROM import_sources"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM imported_rows WHERE table_name = 'consensus_artifacts'"), 390);
}

TEST_F(legacy_import_test, puts_late_rows_below_the_consensus_that_they_belong_to) {
  older_database old{old_path()};
  old.artefact("'S', 'plan', 'a', '1', NULL, 'r', 1760790896");
  must_import();
  EXPECT_EQ(count("SELECT consensus_ok FROM consensus_runs WHERE synthesis_json IS NULL"), 0);
  old.artefact("'S', 'plan', 'b', '2', NULL, 'r', 1760790897");
  old.synthesis("'S', 'plan', 'both', NULL, 'ok', 2, NULL, NULL, 0, 'r', 1760790898");
  const auto late = must_import();
  EXPECT_EQ(late.counts.consensuses, 0);
  EXPECT_EQ(count("SELECT count(*) FROM agent_outputs WHERE run_id = 1"), 2);
  EXPECT_EQ(count("SELECT consensus_ok FROM consensus_runs"), 1);
  old.synthesis("'S', 'plan', 'earlier', NULL, 'conflict', 2, NULL, NULL, 0, 'r', 1760790890");
  const auto another = must_import();
  EXPECT_EQ(another.counts.consensuses, 1) << "a synthesis that is there is never replaced";
  EXPECT_EQ(text("SELECT synthesis_json ->> '$.output_markdown' FROM consensus_runs WHERE id = 1"), "both");
  EXPECT_EQ(another.compared.different() + another.compared.absent(), 0);
}

TEST_F(legacy_import_test, names_a_row_that_was_changed_and_leaves_what_is_there) {
  older_database old{old_path()};
  old.fill(7, 30);
  must_import();
  const auto before = rows_of(place.path());
  old.run("UPDATE consensus_artifacts SET content_json = '\"another\"' WHERE id = 5");
  old.run("UPDATE consensus_synthesis SET status = 'conflict?' WHERE id = 2");
  const auto outcome = must_import();
  EXPECT_EQ(outcome.sum(&legacy_tally::changed), 2);
  EXPECT_EQ(outcome.sum(&legacy_tally::imported), 0);
  EXPECT_EQ(outcome.compared.different(), 2);
  ASSERT_EQ(outcome.compared.differences.size(), 2U);
  EXPECT_EQ(outcome.compared.differences[0].table, legacy_table::artefacts);
  EXPECT_EQ(outcome.compared.differences[0].key, "5");
  EXPECT_THAT(outcome.compared.differences[0].what, HasSubstr("changed after"));
  EXPECT_EQ(outcome.compared.differences[1].key, "2");
  EXPECT_EQ(rows_of(place.path()), before);
}

TEST_F(legacy_import_test, finds_each_column_that_was_changed_on_our_side) {
  older_database old{old_path()};
  old.artefact("'S', 'plan', 'a', '1', 'raw', 'r', 1760790896");
  old.execution("'e', 'S', 'plan', NULL, 'a', 'r', NULL, 1, 1760790896, 'raw', NULL");
  old.synthesis("'S', 'plan', 'text', NULL, 'ok', 2, NULL, NULL, 0, 'r', 1760790898");
  must_import();
  const auto kept = bytes_of_file(place.path());
  for (const char* const damage : {"UPDATE consensus_runs SET spec_id = 'T'",
                                   "UPDATE consensus_runs SET stage = 'tasks'",
                                   "UPDATE consensus_runs SET consensus_ok = 0",
                                   "UPDATE consensus_runs SET degraded = 1",
                                   "UPDATE consensus_runs SET synthesis_json = '{}'",
                                   "UPDATE consensus_runs SET synthesis_json = NULL",
                                   "UPDATE agent_outputs SET agent_name = 'b'",
                                   "UPDATE agent_outputs SET content = '1 '",
                                   "UPDATE agent_outputs SET output_timestamp = output_timestamp + 1",
                                   "UPDATE imported_rows SET rest = '{}' WHERE row_key = '1' AND rest NOT NULL",
                                   "UPDATE imported_rows SET rest = '{}' WHERE row_key = 'e'",
                                   "UPDATE imported_rows SET content_hash = zeroblob(32) WHERE row_key = 'e'",
                                   "DELETE FROM imported_rows WHERE row_key = 'e'",
                                   "DELETE FROM agent_outputs"}) {
    std::ofstream{place.path(), std::ios::binary | std::ios::trunc} << kept;
    SQLite::Database{place.path().string(), SQLite::OPEN_READWRITE}.exec(damage);
    auto source = legacy_source::open(old_path(), scratch());
    ASSERT_TRUE(source);
    const auto compared = compare_legacy(place.options(), *source);
    ASSERT_TRUE(compared) << compared.error().message;
    EXPECT_GT(compared->different() + compared->absent(), 0) << damage;
  }
}

TEST_F(legacy_import_test, takes_a_file_with_the_same_ids_and_other_rows_for_another_one) {
  older_database{old_path()}.fill(1, 30);
  const auto first = must_import();
  const auto other = scratch().parent_path() / "other.db";
  older_database{other}.fill(2, 30, 3'000);
  const auto second = must_import(other);
  EXPECT_EQ(second.counts.of(legacy_table::artefacts).imported, 30);
  EXPECT_EQ(count("SELECT count(*) FROM import_sources"), 2);
  EXPECT_EQ(second.compared.different() + second.compared.absent(), 0);
  const auto again = must_import();
  EXPECT_EQ(again.sum(&legacy_tally::already), first.sum(&legacy_tally::imported));
}

// --- What is wrong in it ---------------------------------------------------------------------------------------------

TEST_F(legacy_import_test, skips_what_it_cannot_use_and_says_why) {
  older_database old{old_path()};
  old.artefact("NULL, 'plan', 'a', '1', NULL, 'r', 1760790896");
  old.artefact("' ', 'plan', 'a', '1', NULL, 'r', 1760790896");
  old.artefact("'S', NULL, 'a', '1', NULL, 'r', 1760790896");
  old.artefact("'S', 'plan', '', '1', NULL, 'r', 1760790896");
  old.artefact("'S', 'plan', 'a', '1', NULL, 'r', NULL");
  old.artefact("'S', 'plan', 'a', '1', NULL, 'r', 'some day'");
  old.artefact("'S', 'plan', 'a', '1', NULL, 'r', 0");
  old.artefact("'S', 'plan', 'a', NULL, NULL, 'r', 1760790896");
  old.artefact("'S', 'plan', 'a', '', ' ', 'r', 1760790896");
  old.synthesis("'S', 'plan', 'x', NULL, 'ok', 1, NULL, NULL, 0, NULL, 'never'");
  old.synthesis("'S', NULL, 'x', NULL, 'ok', 1, NULL, NULL, 0, NULL, 1760790896");
  old.execution("'e1', 'S', 'plan', NULL, NULL, 'r', NULL, 1760790896, NULL, 'text', NULL");
  old.execution("'e2', 'S', 'plan', NULL, 'a', 'r', NULL, NULL, NULL, 'text', NULL");
  old.execution("'e3', 'S', 'plan', NULL, 'a', 'r', NULL, 1760790896, NULL, NULL, 'gone'");
  const auto outcome = must_import();
  using enum legacy_table;
  EXPECT_EQ(outcome.skipped(artefacts, legacy_skip::no_spec_id), 2);
  EXPECT_EQ(outcome.skipped(artefacts, legacy_skip::no_stage), 1);
  EXPECT_EQ(outcome.skipped(artefacts, legacy_skip::no_agent), 1);
  EXPECT_EQ(outcome.skipped(artefacts, legacy_skip::no_time), 3);
  EXPECT_EQ(outcome.skipped(artefacts, legacy_skip::no_content), 2);
  EXPECT_EQ(outcome.skipped(syntheses, legacy_skip::no_time), 1);
  EXPECT_EQ(outcome.skipped(syntheses, legacy_skip::no_stage), 1);
  EXPECT_EQ(outcome.skipped(executions, legacy_skip::no_agent), 1);
  EXPECT_EQ(outcome.skipped(executions, legacy_skip::no_time), 1);
  EXPECT_EQ(outcome.skipped(executions, legacy_skip::no_content), 1);
  EXPECT_EQ(outcome.sum(&legacy_tally::imported), 0);
  EXPECT_EQ(count("SELECT count(*) FROM consensus_runs") + count("SELECT count(*) FROM import_sources"), 0);
}

TEST_F(legacy_import_test, carries_texts_as_they_are) {
  older_database old{old_path()};
  old.artefact("'S', 'plan', 'a', CAST(x'7bff00c3' AS TEXT), CAST(x'fe' AS TEXT), 'r', 1760790896");
  old.artefact("'S', 'plan', 'b', x'0001ff', NULL, 'r', 1760790896");
  old.artefact("42, 'plan', 'c', '{\"half\":', 'x', 'r', 1760790896");
  old.run("CREATE TABLE loose (id, spec_id, stage, agent_name, content_json, response_text, run_id, created_at, more)");
  old.run("INSERT INTO loose SELECT *, NULL FROM consensus_artifacts");
  old.run("DROP TABLE consensus_artifacts");
  old.run("ALTER TABLE loose RENAME TO consensus_artifacts");
  old.run("INSERT INTO consensus_artifacts VALUES (9, 'S', 3.5, 'd', 9e999, 1, NULL, 1760790896.25, x'00ff')");
  const auto outcome = must_import();
  const auto& facts = outcome.tables.at(static_cast<std::size_t>(legacy_table::artefacts));
  EXPECT_EQ(outcome.counts.of(legacy_table::artefacts).imported, 4);
  EXPECT_EQ(facts.ill_formed_utf8, 1);
  EXPECT_EQ(facts.invalid_json, 4);
  EXPECT_EQ(facts.other_types, 2);
  EXPECT_EQ(outcome.compared.different() + outcome.compared.absent(), 0);
  EXPECT_EQ(text("SELECT group_concat(hex(CAST(content AS BLOB))) FROM agent_outputs WHERE agent_name < 'c'"),
            "7BFF00C3,0001FF");
  EXPECT_EQ(text("SELECT content FROM agent_outputs WHERE agent_name = 'c'"), "{\"half\":");
  EXPECT_EQ(text("SELECT rest FROM imported_rows WHERE row_key = '9'"),
            R"({"content_json":{"real":"inf"},"created_at":1760790896.25,"id":9,"more":{"blob_hex":"00ff"},)"
            R"("response_text":1,"stage":3.5})");
  EXPECT_EQ(text("SELECT rest ->> '$.response_text.text_hex' FROM imported_rows WHERE row_key = '1'"), "fe");
}

TEST_F(legacy_import_test, does_without_tables_columns_ids_and_keys) {
  SQLite::Database file{old_path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  file.exec("PRAGMA encoding='UTF-16le'");
  file.exec(
      "CREATE TABLE Consensus_Artifacts (SPEC_ID, stage, agent_name, content_json, created_at, \"odd \"\" name\")");
  file.exec("INSERT INTO consensus_artifacts VALUES ('S€', 'plan', 'a', '\"ä\"', 1760790896, 'x')");
  file.exec("INSERT INTO consensus_artifacts VALUES ('S€', 'plan', 'b', '2', 1760790896, NULL)");
  file.exec(
      "CREATE TABLE agent_executions (agent_id TEXT PRIMARY KEY, spec_id, stage, agent_name, response_text,"
      " spawned_at) WITHOUT ROWID");
  file.exec("INSERT INTO agent_executions VALUES ('e1', 'S€', 'plan', 'c', 'text', 1760790896)");
  const auto outcome = must_import();
  EXPECT_EQ(outcome.sum(&legacy_tally::imported), 3);
  EXPECT_EQ(outcome.counts.consensuses, 1);
  EXPECT_EQ(outcome.tables.at(static_cast<std::size_t>(legacy_table::syntheses)).is,
            legacy_table_facts::presence::missing);
  EXPECT_EQ(text("SELECT spec_id FROM consensus_runs"), "S€");
  EXPECT_EQ(text("SELECT content FROM agent_outputs"), "\"ä\"");
  EXPECT_EQ(text("SELECT group_concat(row_key) FROM (SELECT row_key FROM imported_rows ORDER BY row_key)"),
            "e1,rowid:1,rowid:2");
  EXPECT_EQ(must_import().sum(&legacy_tally::already), 3);
}

TEST_F(legacy_import_test, counts_a_second_row_of_one_id) {
  older_database old{old_path()};
  old.run("DROP TABLE agent_executions");
  old.run("CREATE TABLE agent_executions (agent_id, spec_id, stage, agent_name, response_text, completed_at)");
  old.run(
      "INSERT INTO agent_executions VALUES ('e', 'S', 'plan', 'a', 'one', 1760790896),"
      " ('e', 'S', 'plan', 'a', 'two', 1760790896), (NULL, 'S', 'plan', 'b', 'three', 1760790896)");
  const auto outcome = must_import();
  EXPECT_EQ(outcome.skipped(legacy_table::executions, legacy_skip::duplicate_id), 1);
  EXPECT_EQ(outcome.counts.of(legacy_table::executions).imported, 2);
}

// --- Another owner, and the end of the process -----------------------------------------------------------------------

TEST_F(legacy_import_test, writes_nothing_when_another_owner_has_come) {
  older_database{old_path()}.fill(3, 30);
  auto source = legacy_source::open(old_path(), scratch());
  ASSERT_TRUE(source);
  std::unique_ptr<legacy_writer> writer;
  {
    const auto taken = lease::acquire(place.options(), {::getpid(), "here", at_second(0)});
    ASSERT_TRUE(taken);
    auto opened = legacy_writer::open(place.options(), taken->epoch(), *source);
    ASSERT_TRUE(opened);
    writer = *std::move(opened);
    ASSERT_TRUE(writer->start(at_second(0)));
  }
  const auto next = lease::acquire(place.options(), {::getpid(), "here", at_second(1)});
  ASSERT_TRUE(next);
  EXPECT_EQ(code_of(writer->write_batch(at_second(1))), error_code::stale_epoch);
  EXPECT_FALSE(writer->is_done());
  EXPECT_EQ(count("SELECT count(*) FROM consensus_runs"), 0);
  EXPECT_EQ(writer->counts().consensuses, 0);
}

TEST_F(legacy_import_test, the_database_itself_refuses_a_row_that_is_there) {
  older_database{old_path()}.fill(3, 3);
  must_import();
  SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
  EXPECT_THROW(file.exec("INSERT INTO imported_rows SELECT * FROM imported_rows LIMIT 1"), SQLite::Exception);
}

/// In a process of its own; tells one byte before each batch.
[[noreturn]] void import_until_killed(const storage_options& options,
                                      const std::filesystem::path& from,
                                      const std::filesystem::path& scratch,
                                      int told_to) {
  auto source = legacy_source::open(from, scratch);
  auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  if (!source || !taken) {
    ::_exit(2);
  }
  auto writer = legacy_writer::open(options, taken->epoch(), *source);
  if (!writer || !(*writer)->start(at_second(0))) {
    ::_exit(3);
  }
  while (!(*writer)->is_done()) {
    static_cast<void>(!::write(told_to, "b", 1));
    if (!(*writer)->write_batch(at_second(1))) {
      ::_exit(4);
    }
  }
  ::_exit(0);
}

TEST_F(legacy_import_test, goes_on_after_it_was_killed_as_if_nothing_had_been) {
  constexpr int cycles = 4;
  constexpr int kills = 3;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  older_database{old_path()}.fill(seed, 3'000);
  const temporary_database undisturbed;
  ASSERT_TRUE(import_into(undisturbed.options(), old_path(), scratch()));
  const auto wanted = rows_of(undisturbed.path());
  int in_the_middle = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    const temporary_database target;
    for (int n = 0; n < kills; ++n) {
      std::array<int, 2> pipe{};
      ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
      const pid_t child = ::fork();
      if (child == 0) {
        import_until_killed(target.options(), old_path(), scratch(), pipe[1]);
      }
      ::close(pipe[1]);
      char begun = 0;
      for (auto batches = 1 + random() % 3; batches > 0 && ::read(pipe[0], &begun, 1) == 1; --batches) {
      }
      ::usleep(static_cast<unsigned>(random() % 15'000));
      ::kill(child, SIGKILL);
      ::close(pipe[0]);
      int how = 0;
      ASSERT_EQ(::waitpid(child, &how, 0), child);
      ASSERT_TRUE(WIFSIGNALED(how) || WEXITSTATUS(how) == 0) << "the import ended with " << WEXITSTATUS(how);
      in_the_middle += WIFSIGNALED(how) ? 1 : 0;
    }
    const auto at_last = import_into(target.options(), old_path(), scratch());
    ASSERT_TRUE(at_last) << at_last.error().message;
    EXPECT_EQ(at_last->compared.different() + at_last->compared.absent(), 0);
    EXPECT_TRUE(rows_of(target.path()) == wanted) << "not the rows of an undisturbed import";
    EXPECT_THAT(*check_database(target.options()), IsEmpty());
  }
  EXPECT_GT(in_the_middle, 0) << "the kills came too late to say anything";
}

}  // namespace
}  // namespace troupe
