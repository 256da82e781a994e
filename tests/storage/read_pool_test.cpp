// ST-2: the connections for reading, many threads on few of them.
#include "storage/read_pool.hpp"

#include "storage/database.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds no_patience{0};
constexpr milliseconds patience{30'000};  // longer than anything takes: who waits in vain fails the test

// Every connection of this process that is opened while this lives.
class opened_connections {
 public:
  opened_connections() {
    all().clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&note));
  }
  opened_connections(const opened_connections&) = delete;
  opened_connections& operator=(const opened_connections&) = delete;
  ~opened_connections() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&note)); }

  static std::vector<sqlite3*>& all() {
    static std::vector<sqlite3*> found;
    return found;
  }

 private:
  static int note(sqlite3* opened, const char** /*message*/, const sqlite3_api_routines* /*api*/) {
    all().push_back(opened);
    return SQLITE_OK;
  }
};

class read_pool_test : public testing::Test {
 protected:
  read_pool_test() { must_write(*writer, told.created()); }

  storage_options options() const {
    auto options = place.options();
    options.mmap_bytes = 0;  // so that every read goes through the file system, also one that fails
    return options;
  }

  read_pool pool_of(std::size_t readers_max, std::size_t idle_min = 0, storage_options storage = {}) {
    read_pool_options wanted;
    wanted.storage = storage.path.empty() ? options() : std::move(storage);
    wanted.readers_max = readers_max;
    wanted.idle_min = idle_min;
    wanted.elapsed = [this] { return std::chrono::microseconds{time.load()}; };
    return read_pool{std::move(wanted)};
  }

  void expect_answer(const result<read_loan>& loan) const {
    ASSERT_TRUE(loan) << loan.error().message;
    const auto run = (*loan)->find_run(told.run);
    EXPECT_TRUE(run) << run.error().message;
  }

  temporary_database place;
  story told{"r-1"};
  std::unique_ptr<write_session> writer = writer_on(options());
  std::atomic<std::int64_t> time{0};
};

TEST_F(read_pool_test, opens_no_more_than_allowed_and_lends_again_what_came_back) {
  auto pool = pool_of(10, 2);
  ASSERT_TRUE(pool.warm_up());
  EXPECT_EQ(pool.view().idle, 2);
  EXPECT_EQ(pool.view().opened, 2);
  for (int round = 0; round < 3; ++round) {
    std::vector<read_loan> loans;
    for (int i = 0; i < 10; ++i) {
      auto loan = pool.borrow(no_patience);
      expect_answer(loan);
      loans.push_back(*std::move(loan));
    }
    EXPECT_EQ(pool.view().in_use, 10);
    EXPECT_EQ(pool.view().idle, 0);
  }
  const auto view = pool.view();
  EXPECT_EQ(view.readers_max, 10);
  EXPECT_EQ(view.opened, 10);
  EXPECT_EQ(view.idle, 10);
  EXPECT_EQ(view.in_use, 0);
  EXPECT_EQ(view.loans, 32);
  EXPECT_EQ(view.waits, 0);
}

TEST_F(read_pool_test, refuses_whom_nobody_made_room_for_in_time_and_says_what_to_do) {
  auto pool = pool_of(2);
  const auto first = pool.borrow(no_patience);
  std::optional second = pool.borrow(no_patience);
  const auto began = std::chrono::steady_clock::now();
  const auto refused = pool.borrow(milliseconds{20});
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds{20});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::backpressure);
  EXPECT_EQ(refused.error().message, "all 2 connections for reading were in use for 20 ms");
  EXPECT_NE(refused.error().hint.find("storage.readers_max"), std::string::npos);
  EXPECT_EQ(pool.view().timeouts, 1);
  EXPECT_EQ(pool.view().waits, 1);
  EXPECT_EQ(pool.view().waiting, 0);
  second.reset();
  expect_answer(pool.borrow(no_patience));
}

TEST_F(read_pool_test, lets_ten_read_in_parallel_while_one_writes) {
  constexpr int readers = 10;
  constexpr int commits = 100;
  auto pool = pool_of(readers, 2);
  std::barrier all_have_one{readers + 1};
  std::atomic<bool> written = false;
  std::atomic<std::int64_t> answers = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&] {
      {
        const auto loan = pool.borrow(no_patience);
        EXPECT_TRUE(loan);
        all_have_one.arrive_and_wait();
        all_have_one.arrive_and_wait();
      }
      std::int64_t seen = 0;
      for (bool last = false; !last;) {
        last = written;
        const auto loan = pool.borrow(no_patience);
        const auto run = loan ? (*loan)->find_run(told.run) : result<run_view>{loan.error()};
        if (!run) {
          ADD_FAILURE() << run.error().message;
          return;
        }
        EXPECT_GE(run->last_seq.value(), seen) << "time does not run backwards";
        seen = run->last_seq.value();
        ++answers;
      }
      EXPECT_EQ(seen, 2 + commits) << "what is committed before the question is in the answer";
    });
  }
  all_have_one.arrive_and_wait();
  EXPECT_EQ(pool.view().in_use, readers);
  all_have_one.arrive_and_wait();
  for (int i = 0; i < commits; ++i) {
    must_write(*writer, told.resumed(2 + i));
  }
  written = true;
  threads.clear();
  EXPECT_GT(answers, readers);
  EXPECT_EQ(pool.view().opened, readers);
}

TEST_F(read_pool_test, serves_who_waits_in_the_order_of_coming) {
  constexpr int borrowers = 8;
  auto pool = pool_of(1);
  std::optional held = pool.borrow(no_patience);
  std::mutex guard;
  std::vector<int> served;
  std::vector<std::jthread> threads;
  for (int i = 0; i < borrowers; ++i) {
    threads.emplace_back([&, i] {
      const auto loan = pool.borrow(patience);
      EXPECT_TRUE(loan);
      const std::scoped_lock lock{guard};
      served.push_back(i);
    });
    ASSERT_TRUE(becomes_true([&] { return pool.view().waiting == i + 1; }));
  }
  time = 5'000;
  held.reset();
  threads.clear();
  EXPECT_EQ(served, (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(pool.view().opened, 1);
  EXPECT_EQ(pool.view().waits, borrowers);
  EXPECT_EQ(pool.view().longest_wait, std::chrono::microseconds{5'000});
}

TEST_F(read_pool_test, who_gives_up_waiting_does_not_hold_up_the_others) {
  auto pool = pool_of(1);
  std::optional held = pool.borrow(no_patience);
  std::jthread impatient{[&] { EXPECT_FALSE(pool.borrow(milliseconds{10})); }};
  ASSERT_TRUE(becomes_true([&] { return pool.view().waits == 1; }));
  std::jthread patient{[&] { expect_answer(pool.borrow(patience)); }};
  impatient.join();
  ASSERT_TRUE(becomes_true([&] { return pool.view().waiting == 1; }));
  held.reset();
  patient.join();
  EXPECT_EQ(pool.view().in_use, 0);
}

TEST_F(read_pool_test, closes_what_rests_too_long_but_for_the_least) {
  auto pool = pool_of(5, 2);
  {
    std::vector<read_loan> loans;
    for (int i = 0; i < 5; ++i) {
      loans.push_back(*pool.borrow(no_patience));
    }
  }
  time = 59'999'999;
  expect_answer(pool.borrow(no_patience));
  EXPECT_EQ(pool.view().idle, 5);
  time = 60'000'000;
  expect_answer(pool.borrow(no_patience));
  EXPECT_EQ(pool.view().idle, 2);
  time = 1'000'000'000;
  expect_answer(pool.borrow(no_patience));
  EXPECT_EQ(pool.view().idle, 2);
  EXPECT_EQ(pool.view().opened, 5);
  pool.close_idle();
  EXPECT_EQ(pool.view().idle, 0);
  expect_answer(pool.borrow(no_patience));
}

TEST_F(read_pool_test, a_loan_outlives_its_pool) {
  std::optional pool = pool_of(1);
  const auto loan = pool->borrow(no_patience);
  pool.reset();
  expect_answer(loan);
}

TEST_F(read_pool_test, replaces_a_connection_whose_disk_failed) {
  fault_vfs disk{"read_pool_test_failed_answer"};
  auto storage = options();
  storage.vfs = disk.name();
  auto pool = pool_of(1, 0, storage);
  expect_answer(pool.borrow(no_patience));
  must_write(*writer, told.resumed(2));  // so that the next question has to read
  {
    const auto loan = pool.borrow(no_patience);
    must_write(*writer, told.resumed(3));
    disk.arm({fault_vfs::operation::read, 1, SQLITE_IOERR_READ, true, ""});
    EXPECT_EQ(code_of((*loan)->find_run(told.run)), error_code::storage_unavailable);
    EXPECT_TRUE(disk.heal());
  }
  EXPECT_EQ(pool.view().replaced, 0);
  expect_answer(pool.borrow(no_patience));
  EXPECT_EQ(pool.view().replaced, 1);
  EXPECT_EQ(pool.view().opened, 2);
}

TEST_F(read_pool_test, replaces_a_connection_that_broke_while_it_rested) {
  fault_vfs disk{"read_pool_test_broken_rest"};
  auto storage = options();
  storage.vfs = disk.name();
  auto pool = pool_of(1, 0, storage);
  expect_answer(pool.borrow(no_patience));
  must_write(*writer, told.resumed(2));
  disk.arm({fault_vfs::operation::read, 1, SQLITE_IOERR_READ, false, ""});
  expect_answer(pool.borrow(no_patience));
  EXPECT_TRUE(disk.heal());
  EXPECT_EQ(pool.view().replaced, 1);
  EXPECT_EQ(pool.view().loans, 2);
}

TEST_F(read_pool_test, replaces_a_connection_to_a_file_that_is_not_the_one_at_the_path_any_more) {
  auto pool = pool_of(2);
  expect_answer(pool.borrow(no_patience));
  writer.reset();  // leaves all in the one file
  fs::copy_file(place.path(), place.path().string() + ".new");
  fs::rename(place.path().string() + ".new", place.path());
  writer = writer_on(options());
  must_write(*writer, told.resumed(2));
  const auto loan = pool.borrow(no_patience);
  EXPECT_EQ((*loan)->find_run(told.run)->last_seq, event_seq{3}) << "the old file knows of two events";
  EXPECT_EQ(pool.view().replaced, 1);
}

TEST_F(read_pool_test, loses_no_place_where_none_can_be_opened) {
  auto pool = pool_of(2);
  expect_answer(pool.borrow(no_patience));
  const auto away = place.path().string() + ".away";
  fs::rename(place.path(), away);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(code_of(pool.borrow(no_patience)), error_code::storage_unavailable);
  }
  EXPECT_EQ(pool.view().in_use, 0);
  fs::rename(away, place.path());
  expect_answer(pool.borrow(no_patience));
}

TEST_F(read_pool_test, who_waits_for_a_connection_that_cannot_be_opened_is_told_so) {
  auto pool = pool_of(1);
  std::optional held = pool.borrow(no_patience);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(code_of(pool.borrow(patience)), error_code::storage_unavailable); });
  }
  ASSERT_TRUE(becomes_true([&] { return pool.view().waiting == 3; }));
  fs::rename(place.path(), place.path().string() + ".away");
  held.reset();
  threads.clear();
  EXPECT_EQ(pool.view().in_use, 0);
  EXPECT_EQ(pool.view().timeouts, 0);
}

TEST_F(read_pool_test, cannot_be_warmed_up_where_there_is_nothing_to_read) {
  const temporary_database nothing;
  auto pool = pool_of(2, 1, nothing.options());
  EXPECT_EQ(code_of(pool.warm_up()), error_code::storage_unavailable);
  EXPECT_FALSE(fs::exists(nothing.path())) << "a reader makes no file";
}

TEST_F(read_pool_test, lends_connections_through_which_sqlite_refuses_to_write) {
  const opened_connections opened;
  auto pool = pool_of(3);
  const auto first = pool.borrow(no_patience);
  const auto second = pool.borrow(no_patience);
  ASSERT_EQ(opened.all().size(), 2U);
  const auto before = all_rows(place.path());
  for (sqlite3* const connection : {opened.all()[0], opened.all()[1]}) {
    EXPECT_EQ(sqlite3_db_readonly(connection, "main"), 1);
    for (const auto* also : {"PRAGMA query_only = ON", "PRAGMA query_only = OFF"}) {
      ASSERT_EQ(sqlite3_exec(connection, also, nullptr, nullptr, nullptr), SQLITE_OK);
      for (const auto* write :
           {"UPDATE lease SET epoch = 9", "DELETE FROM runs", "CREATE TABLE mine (x)", "PRAGMA user_version = 9"}) {
        EXPECT_EQ(sqlite3_exec(connection, write, nullptr, nullptr, nullptr), SQLITE_READONLY) << also << ": " << write;
      }
    }
  }
  EXPECT_EQ(all_rows(place.path()), before);
}

TEST_F(read_pool_test, holds_no_transaction_between_questions) {
  auto pool = pool_of(2, 1);
  ASSERT_TRUE(pool.warm_up());
  const auto first = pool.borrow(no_patience);
  const auto second = pool.borrow(no_patience);
  for (std::int64_t seq = 2; seq < 5; ++seq) {
    expect_answer(first);
    EXPECT_TRUE((*second)->list_events(told.run, event_seq{0}, 1)) << "an answer that leaves rows unread";
    EXPECT_FALSE((*second)->find_run(run_id{"absent"}));
    must_write(*writer, told.resumed(seq));
    auto other = database::open(options());
    ASSERT_TRUE(other);
    SQLite::Statement checkpoint{other->connection(), "PRAGMA wal_checkpoint(TRUNCATE)"};
    ASSERT_TRUE(checkpoint.executeStep());
    EXPECT_EQ(checkpoint.getColumn(0).getInt(), 0) << "a reader was in the way";
    EXPECT_EQ(fs::file_size(place.path().string() + "-wal"), 0U);
  }
}

TEST_F(read_pool_test, lends_nothing_during_a_pause_and_goes_on_after_it) {
  auto pool = pool_of(2);
  std::optional held = pool.borrow(no_patience);
  EXPECT_FALSE(pool.pause(milliseconds{1})) << "a question is under way";
  expect_answer(pool.borrow(no_patience));
  std::optional<read_pause> pause;
  std::jthread pausing{[&] {
    if (auto taken = pool.pause(patience)) {
      pause.emplace(*std::move(taken));
    }
  }};
  ASSERT_TRUE(becomes_true([&] { return !pool.borrow(no_patience); }));
  std::vector<std::jthread> threads;
  const auto already = pool.view().waiting;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { expect_answer(pool.borrow(patience)); });
  }
  ASSERT_TRUE(becomes_true([&] { return pool.view().waiting == already + 3; }));
  held.reset();
  pausing.join();
  ASSERT_TRUE(pause);
  EXPECT_EQ(pool.view().in_use, 0);
  EXPECT_EQ(pool.view().waiting, 3);
  EXPECT_FALSE(pool.pause(no_patience)) << "one at a time";
  pause.reset();
  threads.clear();
  EXPECT_EQ(pool.view().in_use, 0);
}

// Without a pause the log of this test grows to all of some 7,400 pages: one of the ten is always reading from it, so that
// it can be moved to the database, and never be begun anew.
TEST_F(read_pool_test, readers_under_load_do_not_let_the_log_grow) {
  constexpr int readers = 10;
  constexpr std::int64_t commits = 2'000;
  constexpr std::int64_t commits_each = 100;
  auto storage = options();
  storage.synchronous = storage_options::durability::normal;
  writer.reset();
  writer = writer_on(storage);
  auto keeper = database::open(storage);
  ASSERT_TRUE(keeper);
  auto pool = pool_of(readers, 2, storage);
  std::atomic<bool> over = false;
  std::atomic<std::int64_t> answers = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        const auto loan = pool.borrow(patience);
        EXPECT_TRUE(loan && (*loan)->list_events(told.run, event_seq{0}, 200));
        ++answers;
      }
    });
  }
  const auto log = place.path().string() + "-wal";
  std::uintmax_t largest = 0;
  for (std::int64_t i = 0; i < commits; ++i) {
    must_write(*writer, told.resumed(2 + i));
    largest = std::max(largest, fs::file_size(log));
    if (i % commits_each == 0) {
      const auto pause = pool.pause(patience);
      EXPECT_TRUE(pause);
      keeper->connection().exec("PRAGMA wal_checkpoint(PASSIVE)");
    }
  }
  over = true;
  threads.clear();
  const auto pages = largest / 4'096;
  std::cout << commits << " commits, " << answers << " answers meanwhile: the log had " << pages << " pages at most\n";
  EXPECT_GT(answers, 100);
  EXPECT_LT(pages, 10U * commits_each);
}

}  // namespace
}  // namespace troupe
