// Large outputs from the command to the reader, and until nothing refers to them.
#include "storage/check.hpp"
#include "storage/content_hash.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/blob_material.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();

class blob_rows_test : public testing::Test {
 protected:
  // A run of one task that printed `bytes`, as files.
  record_output write_run(write_session& session, story& told, const std::string& bytes) {
    const auto task = told.task("survey", "claude");
    must_write(session, told.created());
    must_write(session, told.started(task));
    auto printed = as_files(told.printed(task, bytes), store);
    must_write(session, printed);
    return printed;
  }

  result<std::vector<output_view>> output_of(const story& told) const {
    auto reader = read_session::open(place.options());
    EXPECT_TRUE(reader);
    return (*reader)->find_output(told.run, step_id{"survey"});
  }

  std::vector<std::string> rules_broken(const fs::path& database) const {
    auto options = place.options();
    options.path = database;
    const auto findings = check_database(options);
    EXPECT_TRUE(findings) << findings.error().message;
    std::vector<std::string> rules;
    for (const auto& found : *findings) {
      rules.push_back(found.rule);
    }
    return rules;
  }

  fs::path path_of(const std::string& bytes) const { return blob_path(folder, sha256(bytes)); }

  temporary_database place;
  fs::path folder = blob_folder_of(place.path());
  blob_store store{place.options()};
  const std::string output = std::string(1'000'000, 'x') + "\n";
};

TEST_F(blob_rows_test, reads_a_large_output_as_it_was_printed) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  const auto found = output_of(told);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->front().standard_output == output);
  EXPECT_EQ(found->front().standard_error, "warning\n");
  EXPECT_EQ(count_of(place.path(), "SELECT count(*) FROM attempt_output WHERE stdout IS NULL AND stderr IS NULL"), 1);
  EXPECT_EQ(count_of(place.path(), "SELECT stdout_kept FROM attempt_output"), std::ssize(output));
  EXPECT_EQ(blob_rows(place.path()), file_names(folder));
  EXPECT_THAT(rules_broken(place.path()), IsEmpty());
}

TEST_F(blob_rows_test, keeps_identical_outputs_in_one_file) {
  auto session = writer_on(place.options());
  story first{"r-1"};
  story second{"r-2"};
  write_run(*session, first, output);
  write_run(*session, second, output);
  EXPECT_THAT(file_names(folder), SizeIs(2));  // output, and "warning"
  EXPECT_TRUE(output_of(second)->front().standard_output == output);
}

TEST_F(blob_rows_test, one_stream_may_be_a_file_and_the_other_not) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  must_write(*session, told.started(task));
  auto printed = as_files(told.printed(task, output), store);
  printed.blobs.standard_error.reset();
  must_write(*session, printed);
  EXPECT_EQ(output_of(told)->front().standard_error, "warning\n");
  EXPECT_TRUE(output_of(told)->front().standard_output == output);
}

TEST_F(blob_rows_test, a_key_does_not_depend_on_where_the_output_is) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{4'096}, std::size_t{4'097}, output.size()}) {
    story told{"r-1"};
    const auto in_row = told.printed(told.task("survey", "claude"), output.substr(0, size));
    EXPECT_EQ(content_hash(in_row), content_hash(as_files(in_row, store))) << size;
  }
}

TEST_F(blob_rows_test, knows_a_repeat_whether_or_not_it_is_a_file_and_refuses_other_content) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  auto printed = write_run(*session, told, output);
  EXPECT_TRUE(must_write(*session, printed).receipt.repeated);
  printed.blobs = {};
  EXPECT_TRUE(must_write(*session, printed).receipt.repeated);
  story other{"r-1"};
  const auto different = as_files(other.printed(other.task("survey", "claude"), output + "!"), store);
  EXPECT_EQ(code_of(write_one(*session, different)), error_code::idempotency_violation);
  EXPECT_TRUE(output_of(told)->front().standard_output == output);
}

TEST_F(blob_rows_test, never_writes_a_row_without_its_file) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  must_write(*session, told.started(task));
  const auto printed = as_files(told.printed(task, output), store);
  const auto damages = std::vector<std::function<void()>>{[&] { fs::remove(path_of(output)); },
                                                          [&] { fs::resize_file(path_of(output), 5); }};
  for (const auto& damage : damages) {
    ASSERT_TRUE(store.put(output));
    damage();
    const auto refused = write_one(*session, printed);
    ASSERT_EQ(code_of(refused), error_code::storage_unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr(path_of(output).string()));
    EXPECT_FALSE(session->broken());
    EXPECT_THAT(blob_rows(place.path()), IsEmpty());
  }
  must_write(*session, as_files(printed, store));
  EXPECT_THAT(rules_broken(place.path()), IsEmpty());
}

TEST_F(blob_rows_test, refuses_a_file_of_another_size_than_the_output) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  const auto task = told.task("survey", "claude");
  must_write(*session, told.created());
  must_write(*session, told.started(task));
  auto printed = told.printed(task, output);
  printed.blobs.standard_output = *store.put("something else");
  EXPECT_EQ(code_of(write_one(*session, printed)), error_code::internal);
}

TEST_F(blob_rows_test, names_a_missing_or_damaged_file_and_never_shows_an_empty_output) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  std::ofstream{path_of(output), std::ios::in} << "y";  // one byte of a million
  auto found = output_of(told);
  ASSERT_EQ(code_of(found), error_code::storage_corrupt);
  EXPECT_THAT(found.error().message, HasSubstr(path_of(output).string()));
  EXPECT_THAT(rules_broken(place.path()), testing::ElementsAre("blob"));
  fs::remove(path_of(output));
  found = output_of(told);
  ASSERT_EQ(code_of(found), error_code::storage_corrupt);
  EXPECT_THAT(found.error().message, HasSubstr(path_of(output).string()));
  EXPECT_THAT(rules_broken(place.path()), testing::ElementsAre("blob"));
  ASSERT_TRUE(store.put(output));
  EXPECT_THAT(rules_broken(place.path()), IsEmpty());
}

TEST_F(blob_rows_test, a_hash_that_cannot_be_one_is_damage_and_no_path) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
    file.exec(
        "UPDATE blobs SET hash = '../../etc/passwd' WHERE bytes > 100; UPDATE attempt_output SET stdout_hash = "
        "'../../etc/passwd'");
  }
  EXPECT_EQ(code_of(output_of(told)), error_code::storage_corrupt);
  EXPECT_THAT(rules_broken(place.path()), testing::Contains("blob"));
}

// --- Collection ------------------------------------------------------------------------------------------------------

TEST_F(blob_rows_test, collects_what_a_removed_run_leaves_and_nothing_else) {
  auto session = writer_on(place.options());
  story gone{"r-gone"};
  story stays{"r-stays"};
  write_run(*session, gone, output);
  write_run(*session, stays, output + "other");
  ASSERT_TRUE(store.put("put, and never got a row"));
  remove_run(place.path(), gone.run);
  const auto collected = session->collect_blobs(all);
  ASSERT_TRUE(collected) << collected.error().message;
  EXPECT_TRUE(collected->whole);
  EXPECT_EQ(collected->rows, 1);  // "warning" is shared
  EXPECT_EQ(collected->files, 2);
  EXPECT_EQ(collected->bytes, std::ssize(output) + 24);
  EXPECT_EQ(blob_rows(place.path()), file_names(folder));
  EXPECT_EQ(code_of(output_of(gone)), error_code::not_found);
  EXPECT_TRUE(output_of(stays)->front().standard_output == output + "other");
  EXPECT_THAT(rules_broken(place.path()), IsEmpty());
  remove_run(place.path(), stays.run);
  ASSERT_TRUE(session->collect_blobs(all));
  EXPECT_THAT(file_names(folder), IsEmpty());
  EXPECT_THAT(blob_rows(place.path()), IsEmpty());
}

TEST_F(blob_rows_test, collects_in_slices_that_go_on_where_they_ended) {
  auto session = writer_on(place.options());
  constexpr int files = 40;
  for (int i = 0; i < files; ++i) {
    ASSERT_TRUE(store.put("file " + std::to_string(i)));
  }
  int calls = 0;
  std::int64_t removed = 0;
  for (bool whole = false; !whole; ++calls) {
    ASSERT_LT(calls, 1'000);
    const auto collected = session->collect_blobs(5);
    ASSERT_TRUE(collected) << collected.error().message;
    EXPECT_LT(collected->files, files / 2) << "a slice is bounded";
    removed += collected->files;
    whole = collected->whole;
  }
  EXPECT_EQ(removed, files);
  EXPECT_GE(calls, files / 10);
  EXPECT_THAT(file_names(folder), IsEmpty());
}

TEST_F(blob_rows_test, a_collection_needs_no_open_transaction_and_no_younger_owner) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  remove_run(place.path(), told.run);
  ASSERT_TRUE(session->begin());
  EXPECT_EQ(code_of(session->collect_blobs(all)), error_code::internal);
  session->rollback();
  {
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE};
    file.exec("INSERT INTO lease VALUES (1, 2, 1, 'elsewhere', 0)");
  }
  EXPECT_EQ(code_of(session->collect_blobs(all)), error_code::stale_epoch);
  EXPECT_THAT(file_names(folder), SizeIs(2));
}

TEST_F(blob_rows_test, syncs_the_log_before_it_removes_a_file) {
  std::vector<blob_step> seen;
  auto options = place.options();
  options.synchronous = storage_options::durability::normal;
  options.before_blob_step = [&](blob_step step) {
    seen.push_back(step);
    return 0;
  };
  auto session = writer_on(options);
  ASSERT_TRUE(store.put(output));
  ASSERT_TRUE(session->collect_blobs(all));
  EXPECT_EQ(seen, (std::vector{blob_step::sync_log, blob_step::remove}));
}

TEST_F(blob_rows_test, a_collection_that_fails_leaves_the_rest_to_the_next) {
  story told{"r-1"};
  for (const auto failing : {blob_step::sync_log, blob_step::remove}) {
    auto options = place.options();
    bool fail = true;
    options.before_blob_step = [&](blob_step step) { return fail && step == failing ? EIO : 0; };
    auto session = writer_on(options);
    write_run(*session, told, output);
    remove_run(place.path(), told.run);
    EXPECT_EQ(code_of(session->collect_blobs(all)), error_code::storage_unavailable);
    EXPECT_FALSE(session->broken());
    EXPECT_THAT(rules_broken(place.path()), IsEmpty());
    fail = false;
    ASSERT_TRUE(session->collect_blobs(all));
    EXPECT_THAT(file_names(folder), IsEmpty());
    EXPECT_THAT(blob_rows(place.path()), IsEmpty());
  }
}

// The n-th write to the database fails, for every n of row and collection: no row without its file, ever.
TEST_F(blob_rows_test, no_failure_of_the_database_leaves_a_row_without_its_file) {
  fault_vfs disk{"fault_under_blobs"};
  auto options = place.options();
  options.vfs = disk.name();
  int struck = 0;
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_FULL}) {
    bool ran_clean = false;
    for (int nth = 1; !ran_clean; ++nth) {
      ASSERT_LT(nth, 500);
      disk.heal();
      story told{"r-" + std::to_string(code) + '-' + std::to_string(nth)};
      const auto task = told.task("survey", "claude");
      auto session = writer_on(options);
      must_write(*session, told.created());
      must_write(*session, told.started(task));
      const auto printed = as_files(told.printed(task, output), store);
      disk.arm({fault_vfs::operation::write, nth, code, false, ""});
      const auto written = write_one(*session, printed);
      if (written) {
        disk.heal();
        remove_run(place.path(), told.run);
        disk.arm({fault_vfs::operation::write, nth, code, false, ""});
        const auto collected = session->collect_blobs(all);
        ran_clean = !disk.heal() && collected;
      }
      struck += ran_clean ? 0 : 1;
      disk.heal();
      session.reset();
      EXPECT_THAT(rules_broken(place.path()), IsEmpty()) << "write " << nth;
      session = writer_on(options);
      remove_run(place.path(), told.run);
      ASSERT_TRUE(session->collect_blobs(all));
      EXPECT_THAT(file_names(folder), IsEmpty()) << "write " << nth;
    }
  }
  EXPECT_GT(struck, 4);
}

// One thread puts the same content again and again, as a blob writer would; the other records, removes and collects.
TEST_F(blob_rows_test, putting_and_collecting_at_once_never_leaves_a_row_without_its_file) {
  auto options = place.options();
  options.synchronous = storage_options::durability::normal;
  auto session = writer_on(options);
  const blob_ref ref{sha256(output), std::ssize(output)};
  std::atomic<bool> enough{false};
  std::thread putting{[&] {
    blob_store other{place.options()};
    while (!enough) {
      EXPECT_TRUE(other.put(output));
    }
  }};
  int written = 0;
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    story told{"r-" + std::to_string(i)};
    const auto task = told.task("survey", "claude");
    must_write(*session, told.created());
    must_write(*session, told.started(task));
    auto printed = told.printed(task, output);
    printed.blobs.standard_output = ref;
    const auto outcome = write_one(*session, printed);
    if (outcome) {
      ++written;
      EXPECT_TRUE(verify_blob(folder, ref));
    } else {
      ++refused;
      EXPECT_EQ(outcome.error().code, error_code::storage_unavailable);
    }
    remove_run(place.path(), told.run);
    EXPECT_TRUE(session->collect_blobs(all));
  }
  enough = true;
  putting.join();
  EXPECT_EQ(written + refused, 150);
  RecordProperty("written", written);
  EXPECT_THAT(rules_broken(place.path()), IsEmpty());
}

// --- Beside the database -----------------------------------------------------------------------------------------------

TEST_F(blob_rows_test, describes_how_many_there_are_and_how_large) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  const auto info = describe_database(place.options());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->blobs, 2);
  EXPECT_EQ(info->blob_bytes, std::ssize(output) + 8);
}

TEST_F(blob_rows_test, a_backup_has_the_outputs_that_it_refers_to) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  ASSERT_TRUE(store.put("never got a row"));
  const auto copy = place.folder() / "copy.db";
  const auto copied = backup_database(place.options(), copy);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(file_names(blob_folder_of(copy)), blob_rows(copy));
  remove_run(place.path(), told.run);
  ASSERT_TRUE(session->collect_blobs(all));
  EXPECT_THAT(rules_broken(copy), IsEmpty());
  auto options = place.options();
  options.path = copy;
  auto reader = read_session::open(options);
  ASSERT_TRUE(reader);
  const auto found = (*reader)->find_output(told.run, step_id{"survey"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->front().standard_output == output);
}

TEST_F(blob_rows_test, a_backup_without_large_outputs_has_no_folder) {
  auto session = writer_on(place.options());
  ASSERT_TRUE(backup_database(place.options(), place.folder() / "copy.db"));
  EXPECT_FALSE(fs::exists(place.folder() / "copy.db.blobs"));
}

TEST_F(blob_rows_test, a_backup_of_a_damaged_output_is_refused_and_leaves_nothing) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  write_run(*session, told, output);
  fs::resize_file(path_of(output), 5);
  const auto copied = backup_database(place.options(), place.folder() / "copy.db");
  ASSERT_EQ(code_of(copied), error_code::storage_corrupt);
  EXPECT_THAT(copied.error().message, HasSubstr(path_of(output).string()));
  for (const auto& entry : fs::directory_iterator{place.folder()}) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("copy")) << entry.path();
  }
}

TEST_F(blob_rows_test, a_backup_never_mixes_with_the_outputs_of_another) {
  auto session = writer_on(place.options());
  fs::create_directory(place.folder() / "copy.db.blobs");
  EXPECT_EQ(code_of(backup_database(place.options(), place.folder() / "copy.db")), error_code::duplicate_id);
  EXPECT_FALSE(fs::exists(place.folder() / "copy.db"));
}

}  // namespace
}  // namespace troupe
