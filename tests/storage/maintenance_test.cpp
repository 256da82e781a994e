// Slices of vacuum, on real files: what they free is gone from the file, and nothing else is.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/bloated_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <random>

namespace troupe {
namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20U;

class maintenance_test : public testing::Test {
 protected:
  void bloat(std::int64_t bytes = 8 * mib, survivors who = survivors::three) {
    make_bloated_database(place_.options(), bytes, who);
  }

  std::int64_t file_bytes() const { return static_cast<std::int64_t>(std::filesystem::file_size(place_.path())); }
  std::int64_t free_pages() const { return count_of(place_.path(), "PRAGMA freelist_count"); }

  void expect_intact() const {
    const auto findings = check_database(place_.options());
    ASSERT_TRUE(findings) << findings.error().message;
    for (const auto& finding : *findings) {
      ADD_FAILURE() << finding.rule << ": " << finding.text;
    }
  }

  temporary_database place_;
};

bool always() { return true; }

TEST_F(maintenance_test, a_slice_frees_as_many_pages_as_it_may_and_no_more) {
  bloat();
  const auto session = writer_on(place_.options());
  const auto before = count_of(place_.path(), "PRAGMA page_count");
  const auto free = free_pages();
  const auto freed = session->give_back(100, always);
  ASSERT_TRUE(freed) << freed.error().message;
  EXPECT_EQ(freed->count, 100);
  EXPECT_EQ(freed->size, (database_size{4'096, before - 100, free - 100}));
  EXPECT_EQ(free_pages(), free - 100);
  EXPECT_EQ(session->give_back(0, always)->count, 0);
}

TEST_F(maintenance_test, the_file_is_cut_when_the_log_is_carried_over) {
  bloat();
  const auto session = writer_on(place_.options());
  EXPECT_GT(file_bytes(), 8 * mib);
  const auto rows = all_rows(place_.path());
  auto freed = session->give_back(100, always);
  while (freed && freed->size.free_pages > 0) {
    freed = session->give_back(100, always);
  }
  ASSERT_TRUE(freed);
  EXPECT_GT(file_bytes(), 8 * mib);
  EXPECT_EQ(*session->carry_log_over(), shrink_end::file_is_cut);
  EXPECT_LT(file_bytes(), 400'000);
  EXPECT_EQ(file_bytes(), freed->size.bytes());
  EXPECT_EQ(all_rows(place_.path()), rows);
  expect_intact();
}

TEST_F(maintenance_test, live_pages_at_the_end_are_moved_and_keep_what_they_hold) {
  bloat(4 * mib, survivors::every_second);
  const auto session = writer_on(place_.options());
  const auto rows = all_rows(place_.path());
  while (session->give_back(64, always)->size.free_pages > 0) {
  }
  EXPECT_EQ(*session->carry_log_over(), shrink_end::file_is_cut);
  EXPECT_LT(file_bytes(), 3 * mib);
  EXPECT_EQ(all_rows(place_.path()), rows);
  expect_intact();
}

TEST_F(maintenance_test, a_slice_ends_when_it_is_told_to_and_what_it_freed_is_committed) {
  bloat();
  const auto session = writer_on(place_.options());
  const auto free = free_pages();
  int left = 7;
  const auto freed = session->give_back(1'000, [&] { return left-- > 0; });
  ASSERT_TRUE(freed);
  EXPECT_EQ(freed->count, 7);
  EXPECT_EQ(free_pages(), free - 7);
  EXPECT_EQ(session->give_back(1'000, [] { return false; })->count, 0);
  expect_intact();
}

TEST_F(maintenance_test, a_slice_takes_no_part_in_a_transaction_of_commands) {
  bloat();
  const auto session = writer_on(place_.options());
  ASSERT_TRUE(session->begin());
  EXPECT_EQ(code_of(session->give_back(10, always)), error_code::internal);
  EXPECT_EQ(code_of(session->carry_log_over()), error_code::internal);
  EXPECT_EQ(code_of(session->record({})), error_code::internal);
  EXPECT_TRUE(session->apply(story{"r-1"}.created()));
  EXPECT_TRUE(session->commit());
}

TEST_F(maintenance_test, an_owner_that_was_superseded_frees_nothing) {
  bloat();
  const auto session = writer_on(place_.options(), 1);
  const auto newer = lease::acquire(place_.options(), {1, "here", at_second(0)});
  const auto newest = [&] {
    SQLite::Database{place_.path().string(), SQLite::OPEN_READWRITE}.exec("UPDATE lease SET epoch = 7");
  };
  newest();
  const auto free = free_pages();
  EXPECT_EQ(code_of(session->give_back(10, always)), error_code::stale_epoch);
  EXPECT_EQ(free_pages(), free);
}

TEST_F(maintenance_test, a_failing_disk_ends_the_session_and_loses_nothing) {
  for (const auto& fault : {fault_vfs::fault{fault_vfs::operation::write, 2, SQLITE_IOERR_WRITE, false, "-wal"},
                            fault_vfs::fault{fault_vfs::operation::write, 1, SQLITE_FULL, false, "-wal"},
                            fault_vfs::fault{fault_vfs::operation::sync, 1, SQLITE_IOERR_FSYNC, false, "-wal"}}) {
    const temporary_database place;
    fault_vfs vfs{"maintenance_fault"};
    auto options = place.options();
    options.vfs = vfs.name();
    make_bloated_database(place.options(), 2 * mib);
    const auto rows = all_rows(place.path());
    {
      const auto session = writer_on(options);
      vfs.arm(fault);
      EXPECT_FALSE(session->give_back(200, always));
      EXPECT_TRUE(vfs.heal());
      EXPECT_TRUE(session->broken());
      EXPECT_FALSE(session->give_back(1, always));
      EXPECT_FALSE(session->carry_log_over());
      EXPECT_FALSE(session->record({}));
    }
    const auto next = writer_on(options);
    EXPECT_TRUE(next->give_back(1'000'000, always));
    EXPECT_EQ(all_rows(place.path()), rows);
    EXPECT_TRUE(check_database(place.options())->empty());
  }
}

TEST_F(maintenance_test, a_disk_that_fails_while_the_log_is_carried_over_ends_the_session) {
  fault_vfs vfs{"maintenance_fault"};
  auto options = place_.options();
  options.vfs = vfs.name();
  bloat(2 * mib);
  const auto session = writer_on(options);
  ASSERT_TRUE(session->give_back(1'000'000, always));
  vfs.arm({fault_vfs::operation::truncate, 1, SQLITE_IOERR_TRUNCATE, false, "troupe.db"});
  EXPECT_FALSE(session->carry_log_over());
  EXPECT_TRUE(session->broken());
  EXPECT_TRUE(vfs.heal());
}

TEST_F(maintenance_test, a_reader_keeps_the_file_from_being_cut_and_is_not_waited_for) {
  bloat();
  const auto session = writer_on(place_.options());
  SQLite::Database reader{place_.path().string(), SQLite::OPEN_READONLY};
  reader.exec("BEGIN");
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM archives").getInt(), 3);
  ASSERT_TRUE(session->give_back(1'000'000, always));
  EXPECT_EQ(*session->carry_log_over(), shrink_end::held_back);
  EXPECT_GT(file_bytes(), 8 * mib);
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM archives WHERE length(manifest) > 0").getInt(), 3);
  reader.exec("COMMIT");
  EXPECT_EQ(*session->carry_log_over(), shrink_end::file_is_cut);
  EXPECT_LT(file_bytes(), 400'000);
  EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM archives WHERE length(manifest) > 0").getInt(), 3);
}

TEST_F(maintenance_test, passes_are_kept_as_told_and_the_newest_hundred) {
  const auto session = writer_on(place_.options());
  vacuum_report pass;
  pass.reason = vacuum_reason::manual;
  pass.started_at = at_second(1);
  pass.finished_at = at_second(2);
  pass.bytes_before = 150 * mib;
  pass.bytes_after = 3 * mib;
  pass.reclaimed_bytes = 147 * mib;
  pass.freed_pages = 40'000;
  pass.slices = 32;
  pass.longest_slice = 9'876us;
  pass.took = 700'123us;
  const auto stored = read_session::open(place_.options());
  ASSERT_TRUE(stored);
  EXPECT_FALSE((*stored)->find_maintenance()->vacuum.last);
  ASSERT_TRUE(session->record(pass));
  auto found = (*stored)->find_maintenance();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->vacuum.last, pass);
  EXPECT_EQ(found->vacuum.last_success, at_second(2));
  EXPECT_EQ(found->size.bytes(), file_bytes() == 0 ? 0 : found->size.page_count * 4'096);
  EXPECT_GT(found->disk_free_bytes.value_or(0), 0);

  auto failed = pass;
  failed.finished_at = at_second(3);
  failed.failure = error{error_code::storage_full, "no room", "make some"};
  ASSERT_TRUE(session->record(failed));
  found = (*stored)->find_maintenance();
  EXPECT_EQ(found->vacuum.last, failed);
  EXPECT_EQ(found->vacuum.last_success, at_second(2));

  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(session->record(pass));
  }
  EXPECT_EQ(count_of(place_.path(), "SELECT count(*) FROM maintenance"), 100);
  EXPECT_EQ((*stored)->find_maintenance()->vacuum.last, pass);
}

// Vacuums a file in small slices, with cuts between them, and tells after each.
[[noreturn]] void vacuum_until_killed(const storage_options& options, int told_to) {
  const auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  auto session = taken ? write_session::open(options, taken->epoch()) : taken.error();
  if (!session) {
    ::_exit(2);
  }
  for (;;) {
    const auto freed = (*session)->give_back(16, always);
    if (!freed || !(*session)->carry_log_over() || ::write(told_to, "x", 1) != 1) {
      ::_exit(3);
    }
    if (freed->size.free_pages == 0) {
      ::_exit(0);
    }
  }
}

TEST_F(maintenance_test, a_process_that_is_killed_while_it_vacuums_leaves_a_whole_file_and_the_next_goes_on) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  SCOPED_TRACE("seed " + std::to_string(seed));
  bloat(4 * mib, survivors::every_second);
  const auto rows = [&] { return count_of(place_.path(), "SELECT sum(id) + sum(length(manifest)) FROM archives"); };
  const auto before = rows();
  auto free = free_pages();
  int killed = 0;
  for (bool ended = false; !ended && killed < 100;) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      vacuum_until_killed(place_.options(), pipe[1]);
    }
    ::close(pipe[1]);
    char told = 0;
    for (int slices = std::uniform_int_distribution{1, 4}(random); slices > 0 && ::read(pipe[0], &told, 1) == 1;) {
      --slices;
    }
    ::usleep(std::uniform_int_distribution<unsigned>{0, 2'000}(random));  // the instant is the point
    ::kill(child, SIGKILL);
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ended = WIFEXITED(status);
    EXPECT_TRUE(!ended || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    killed += ended ? 0 : 1;
    EXPECT_EQ(rows(), before);
    const auto left = free_pages();
    EXPECT_TRUE(left < free || left == 0) << "what was committed is not done again";  // 0: killed on its way out
    free = left;
  }
  EXPECT_GE(killed, 3);
  EXPECT_EQ(free, 0);
  expect_intact();
}

}  // namespace
}  // namespace troupe
