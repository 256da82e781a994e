#include "storage/database.hpp"

#include "storage/migrations.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>

namespace troupe {
namespace {

std::string pragma(database& opened, const std::string& name) {
  SQLite::Statement query{opened.connection(), "PRAGMA " + name};
  return query.executeStep() ? query.getColumn(0).getString() : "";
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777U;
}

// Runs `body` in a child process without the rights of root; what it returns.
int as_nobody(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) {
      ::_exit(99);
    }
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class database_test : public testing::Test {
 protected:
  database must_open(const storage_options& options) {
    auto opened = database::open(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  // A file as an older Troupe could have left it: ours, with content, without incremental vacuum.
  void make_old_file(int rows) {
    SQLite::Database old{place.path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    old.exec("PRAGMA application_id=" + std::to_string(database_application_id));
    old.exec("CREATE TABLE old (content)");
    old.exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(rows) +
             ") INSERT INTO old SELECT randomblob(1000) FROM n");
  }

  temporary_database place;
};

TEST_F(database_test, sets_every_pragma_of_a_new_file) {
  auto options = place.options();
  options.busy_timeout = milliseconds{5'000};
  options.cache_kib = 32'000;
  auto opened = must_open(options);
  EXPECT_EQ(pragma(opened, "auto_vacuum"), "2");
  EXPECT_EQ(pragma(opened, "journal_mode"), "wal");
  EXPECT_EQ(pragma(opened, "synchronous"), "2");
  EXPECT_EQ(pragma(opened, "foreign_keys"), "1");
  EXPECT_EQ(pragma(opened, "cache_size"), "-32000");
  EXPECT_EQ(pragma(opened, "temp_store"), "2");
  EXPECT_EQ(pragma(opened, "mmap_size"), "1073741824");
  EXPECT_EQ(pragma(opened, "busy_timeout"), "5000");
  EXPECT_EQ(pragma(opened, "journal_size_limit"), "67108864");
  EXPECT_EQ(pragma(opened, "wal_autocheckpoint"), "1000");
}

TEST_F(database_test, keeps_incremental_vacuum_in_the_header_of_a_new_file) {
  writer_on(place.options());
  SQLite::Database file{place.path().string(), SQLite::OPEN_READONLY};
  EXPECT_EQ(file.execAndGet("PRAGMA auto_vacuum").getInt(), 2);
  EXPECT_EQ(file.execAndGet("PRAGMA application_id").getInt64(), database_application_id);
}

TEST_F(database_test, syncs_less_when_told) {
  auto options = place.options();
  options.synchronous = storage_options::durability::normal;
  auto opened = must_open(options);
  EXPECT_EQ(pragma(opened, "synchronous"), "1");
}

TEST_F(database_test, names_the_pragma_that_did_not_take) {
  auto options = place.options();
  options.mmap_bytes = std::int64_t{1} << 40U;
  const auto opened = database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, error_code::storage_unavailable);
  EXPECT_NE(opened.error().message.find("mmap_size"), std::string::npos) << opened.error().message;
}

TEST_F(database_test, refuses_a_file_system_that_cannot_do_a_write_ahead_log) {
  const fault_vfs disk{"database_test_no_wal", fault_vfs::shared_memory::absent};
  auto options = place.options();
  options.vfs = disk.name();
  const auto opened = database::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, error_code::storage_unavailable);
  EXPECT_NE(opened.error().message.find("journal_mode"), std::string::npos) << opened.error().message;
}

TEST_F(database_test, converts_an_old_file_to_incremental_vacuum) {
  make_old_file(1000);
  ASSERT_EQ(count_of(place.path(), "PRAGMA auto_vacuum"), 0);
  const auto before = all_rows(place.path());
  {
    auto opened = must_open(place.options());
    EXPECT_EQ(pragma(opened, "auto_vacuum"), "2");
  }
  EXPECT_EQ(count_of(place.path(), "PRAGMA auto_vacuum"), 2);
  EXPECT_EQ(all_rows(place.path()), before);
}

TEST_F(database_test, creates_folder_and_file_for_its_owner_alone) {
  auto options = place.options();
  options.path = place.folder() / "state" / "troupe" / "troupe.db";
  const auto before = ::umask(0);
  auto session = writer_on(options);
  story told{"r-1"};
  must_write(*session, told.created());
  ::umask(before);
  EXPECT_EQ(mode_of(place.folder() / "state"), 0700U);
  EXPECT_EQ(mode_of(place.folder() / "state" / "troupe"), 0700U);
  EXPECT_EQ(mode_of(options.path), 0600U);
  EXPECT_EQ(mode_of(options.path.string() + "-wal"), 0600U);
  EXPECT_EQ(mode_of(options.path.string() + "-shm"), 0600U);
}

TEST_F(database_test, opens_a_path_with_signs_that_mean_something_in_a_uri) {
  auto options = place.options();
  options.path = place.folder() / "a b?mode=ro#%41.db";
  writer_on(options);
  EXPECT_TRUE(std::filesystem::exists(options.path));
  writer_on(options);
  EXPECT_TRUE(read_session::open(options));
}

TEST_F(database_test, refuses_a_folder_in_the_place_of_the_file) {
  std::filesystem::create_directory(place.path());
  EXPECT_EQ(code_of(database::open(place.options())), error_code::storage_unavailable);
  EXPECT_EQ(code_of(database::open_read_only(place.options())), error_code::storage_unavailable);
}

TEST_F(database_test, refuses_a_file_in_the_place_of_the_folder) {
  std::ofstream{place.folder() / "file"} << "text";
  auto options = place.options();
  options.path = place.folder() / "file" / "troupe.db";
  EXPECT_EQ(code_of(database::open(options)), error_code::storage_unavailable);
}

TEST_F(database_test, refuses_what_is_not_a_database_and_leaves_it) {
  const std::string letter(5000, 'x');
  std::ofstream{place.path(), std::ios::binary} << letter;
  EXPECT_EQ(code_of(database::open(place.options())), error_code::storage_corrupt);
  EXPECT_EQ(code_of(database::open_read_only(place.options())), error_code::storage_corrupt);
  EXPECT_TRUE(bytes_of_file(place.path()) == letter);
}

TEST_F(database_test, refuses_a_file_shorter_than_a_header_and_leaves_it) {
  std::ofstream{place.path(), std::ios::binary} << "short";
  EXPECT_EQ(code_of(database::open(place.options())), error_code::storage_corrupt);
  EXPECT_EQ(bytes_of_file(place.path()), "short");
}

TEST_F(database_test, leaves_a_damaged_file_as_it_is) {
  {
    auto session = writer_on(place.options());
    story told{"r-1"};
    must_write(*session, told.created());
  }
  auto bytes = bytes_of_file(place.path());
  bytes.replace(100, 300, std::string(300, '\xEE'));  // the schema's own page
  std::ofstream{place.path(), std::ios::binary} << bytes;
  EXPECT_EQ(code_of(write_session::open(place.options(), lease_epoch{1})), error_code::storage_corrupt);
  EXPECT_EQ(code_of(read_session::open(place.options())), error_code::storage_corrupt);
  EXPECT_TRUE(bytes_of_file(place.path()) == bytes);
}

TEST_F(database_test, refuses_somebody_elses_database_without_touching_it) {
  {
    SQLite::Database other{place.path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    other.exec("CREATE TABLE bookmarks (url)");
  }
  const auto before = fingerprint_of(place.path());
  const auto opened = database::open(place.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, error_code::storage_unavailable);
  EXPECT_NE(opened.error().message.find("another program"), std::string::npos);
  EXPECT_EQ(code_of(database::open_read_only(place.options())), error_code::storage_unavailable);
  EXPECT_EQ(fingerprint_of(place.path()), before);
}

TEST_F(database_test, refuses_somebody_elses_database_whose_tables_are_only_in_its_log) {
  {
    temporary_database elsewhere;
    SQLite::Database other{elsewhere.path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    other.exec("PRAGMA journal_mode=WAL");
    other.exec("CREATE TABLE bookmarks (url)");
    for (const std::string suffix : {"", "-wal"}) {  // as after a crash of that program
      std::filesystem::copy_file(elsewhere.path().string() + suffix, place.path().string() + suffix);
    }
  }
  const auto before = fingerprint_of(place.path());
  ASSERT_GT(std::filesystem::file_size(place.path().string() + "-wal"), 0U);
  const auto log = fingerprint_of(place.path().string() + "-wal");
  EXPECT_EQ(code_of(database::open(place.options())), error_code::storage_unavailable);
  EXPECT_EQ(fingerprint_of(place.path()), before);
  EXPECT_EQ(fingerprint_of(place.path().string() + "-wal"), log);
}

TEST_F(database_test, says_when_a_permission_is_missing) {
  writer_on(place.options());
  std::filesystem::permissions(place.folder(), std::filesystem::perms{0755});
  EXPECT_EQ(as_nobody([&] {
              const bool refused = code_of(database::open(place.options())) == error_code::storage_denied &&
                                   code_of(database::open_read_only(place.options())) == error_code::storage_denied;
              return refused ? 0 : 1;
            }),
            ::geteuid() == 0 ? 0 : 1);
}

TEST_F(database_test, says_when_the_folder_cannot_be_written) {
  std::filesystem::permissions(place.folder(), std::filesystem::perms{0555});
  EXPECT_EQ(as_nobody([&] { return code_of(database::open(place.options())) == error_code::storage_denied ? 0 : 1; }),
            0);
}

TEST_F(database_test, says_when_the_file_may_only_be_read) {
  writer_on(place.options());
  std::filesystem::permissions(place.folder(), std::filesystem::perms{0755});
  std::filesystem::permissions(place.path(), std::filesystem::perms{0444});
  const auto before = fingerprint_of(place.path());
  EXPECT_EQ(as_nobody([&] { return code_of(database::open(place.options())) == error_code::storage_denied ? 0 : 1; }),
            0);
  EXPECT_EQ(fingerprint_of(place.path()), before);
}

TEST_F(database_test, reads_only_what_is_there) {
  const auto opened = database::open_read_only(place.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, error_code::storage_unavailable);
  EXPECT_FALSE(std::filesystem::exists(place.path()));
}

TEST_F(database_test, cannot_be_written_through_a_reader) {
  writer_on(place.options());
  auto opened = database::open_read_only(place.options());
  ASSERT_TRUE(opened);
  for (const std::string attempt : {"PRAGMA query_only=ON", "PRAGMA query_only=OFF"}) {
    opened->connection().exec(attempt);
    try {
      opened->connection().exec("INSERT INTO lease VALUES (1, 1, 1, '', 0)");
      ADD_FAILURE() << "it was written after " << attempt;
    } catch (const SQLite::Exception& refused) {
      EXPECT_EQ(refused.getErrorCode(), 8) << "SQLITE_READONLY";
    }
  }
}

TEST_F(database_test, writes_nothing_when_it_opens_what_is_as_it_should_be) {
  writer_on(place.options());
  const auto before = fingerprint_of(place.path());
  must_open(place.options());
  EXPECT_EQ(fingerprint_of(place.path()), before);
}

TEST_F(database_test, reads_while_another_connection_writes) {
  auto session = writer_on(place.options());
  story told{"r-1"};
  must_write(*session, told.created());
  auto reader = read_session::open(place.options());
  ASSERT_TRUE(reader);
  ASSERT_TRUE(session->begin());
  ASSERT_TRUE(session->apply(told.started(told.task("survey", "claude"))));
  EXPECT_EQ((*reader)->find_run(told.run)->steps, 0);
  ASSERT_TRUE(session->commit());
  EXPECT_EQ((*reader)->find_run(told.run)->steps, 1);
}

TEST_F(database_test, says_when_the_disk_gives_errors) {
  fault_vfs disk{"database_test_errors"};
  auto options = place.options();
  options.vfs = disk.name();
  disk.arm({fault_vfs::operation::write, 1, SQLITE_FULL, true, ""});
  EXPECT_EQ(code_of(database::open(options)), error_code::storage_full);
  disk.arm({fault_vfs::operation::sync, 1, SQLITE_IOERR_FSYNC, true, ""});
  EXPECT_EQ(code_of(database::open(options)), error_code::storage_unavailable);
  disk.arm({fault_vfs::operation::shm_map, 1, SQLITE_IOERR_SHMSIZE, true, ""});
  EXPECT_EQ(code_of(database::open(options)), error_code::storage_full) << "the -shm cannot grow";
  disk.heal();
  EXPECT_TRUE(database::open(options)) << "what failed left nothing in the way";
}

TEST_F(database_test, gives_back_its_pages_in_steps) {
  {
    auto session = writer_on(place.options());
    story told{"r-1"};
    must_write(*session, told.created());
    must_write(*session, told.started(told.task("survey", "claude")));
    must_write(*session, told.printed(told.task("survey", "claude"), std::string(1 << 20, 'x')));
  }
  auto opened = must_open(place.options());
  opened.connection().exec("DELETE FROM attempt_output");
  const auto before = opened.connection().execAndGet("PRAGMA freelist_count").getInt64();
  ASSERT_GT(before, 100);
  opened.connection().exec("PRAGMA incremental_vacuum(100)");
  EXPECT_EQ(opened.connection().execAndGet("PRAGMA freelist_count").getInt64(), before - 100);
}

}  // namespace
}  // namespace troupe
