// The log, moved and begun anew by the real actors: writer and checkpointer on their threads, readers of the pool on theirs.
#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/log_checkpointer/log_checkpointer_actor.hpp"
#include "storage/log_checkpoint.hpp"
#include "storage/read_pool.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t moved_at = 50;     // pages
constexpr std::int64_t anew_at = 200;     // pages
constexpr milliseconds patience{30'000};  // longer than anything takes: who waits in vain fails the test

class log_checkpointer_test : public testing::Test {
 protected:
  log_checkpointer_test() {
    auto session = writer_on(options());
    must_write(*session, told_.created());
  }

  ~log_checkpointer_test() override {
    for (const auto& each : {caf::actor_cast<caf::actor>(writer_.get()), caf::actor_cast<caf::actor>(mover_.get())}) {
      if (each) {
        caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
      }
    }
    writer_.set({});
    mover_.set({});
  }

  storage_options options() const {
    auto options = place_.options();
    options.synchronous = storage_options::durability::normal;
    options.wal_autocheckpoint = 1'000'000;  // what is moved is moved by the actor
    return options;
  }

  void start_checkpointer(std::shared_ptr<read_pool> readers) {
    log_checkpointer_deps deps;
    deps.open = [this] {
      ++opened_;
      auto through = options();
      through.vfs = disk_.name();
      through.mmap_bytes = 0;
      return log_checkpoint::open(through);
    };
    deps.readers = std::move(readers);
    deps.anew_pages = anew_at;
    mover_.set(spawn_log_checkpointer(system_, std::move(deps), placement::own_thread));
  }

  void start_writer() {
    database_writer_deps deps;
    deps.open = [this] { return write_session::open(options(), lease_epoch{1}); };
    deps.checkpointer = mover_;
    deps.checkpoint_pages = moved_at;
    writer_.set(spawn_database_writer(system_, std::move(deps), placement::own_thread));
  }

  std::shared_ptr<read_pool> pool(std::size_t readers_max) const {
    return std::make_shared<read_pool>(read_pool_options{
        .storage = options(), .readers_max = readers_max, .elapsed = [] { return std::chrono::microseconds{0}; }});
  }

  // Commits one after the other, each an event or two of the run.
  void commit(int times) {
    for (int i = 0; i < times; ++i) {
      const auto what = std::make_shared<const write_command>(told_.resumed(next_++));
      self_->request(writer_.get(), patience, write_request{what, lease_epoch{1}, false})
          .receive([](const write_reply& reply) { ASSERT_TRUE(reply) << reply.error().message; },
                   [](const caf::error&) { FAIL() << "the writer does not answer"; });
      look_at_log();
    }
  }

  // Without the writer, whose questions would come in between.
  void write_pages(write_session& session, std::int64_t pages) {
    const auto until = session.log_pages() + pages;
    while (session.log_pages() < until) {
      must_write(session, told_.resumed(next_++));
    }
    look_at_log();
  }

  void checkpoint() {
    caf::scoped_actor asking{system_};
    asking->request(mover_.get(), patience, checkpoint_log{})
        .receive([](log_checkpointed) {}, [](const caf::error&) { FAIL() << "the checkpointer does not answer"; });
  }

  // Whether it wants the pool for itself: a loan is held back until then.
  bool pauses_readers(read_pool& sessions) {
    std::optional lent = sessions.borrow(patience);
    std::atomic<bool> answered = false;
    std::jthread asking{[&] {
      checkpoint();
      answered = true;
    }};
    bool paused = false;
    while (!answered) {
      if (!sessions.borrow(milliseconds{0})) {
        paused = true;
        lent.reset();
      }
    }
    return paused;
  }

  // Each time that the log begins anew its header has another salt (sqlite.org/fileformat2.html, 4.1).
  void look_at_log() {
    const auto log = place_.path().string() + "-wal";
    largest_ = std::max(largest_, fs::file_size(log));
    std::ifstream file{log, std::ios::binary};
    std::string salt(8, '\0');
    file.seekg(16);
    file.read(salt.data(), static_cast<std::streamsize>(salt.size()));
    beginnings_ += salt != salt_ ? 1 : 0;
    salt_ = salt;
  }

  temporary_database place_;
  fault_vfs disk_{"log_checkpointer_test"};
  story told_{"r-1"};
  std::int64_t next_ = 2;
  std::uintmax_t largest_ = 0;
  int beginnings_ = 0;
  std::string salt_;
  std::atomic<int> opened_ = 0;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  service<log_checkpointer> mover_;
  service<database_writer> writer_;
};

// Invariant 2. Questions of some milliseconds, so that one of the readers always reads from the log. An attempt may fail for
// the lock of a writer that never rests, and the next comes at twice the length; most succeed.
TEST_F(log_checkpointer_test, begins_a_log_anew_that_is_always_read) {
  constexpr int readers = 6;
  constexpr int commits = 2'000;
  constexpr int events = 5'000;
  {
    auto session = writer_on(options());
    ASSERT_TRUE(session->begin());
    for (int i = 0; i < events; ++i) {
      ASSERT_TRUE(session->apply(told_.resumed(next_++)));
    }
    ASSERT_TRUE(session->commit());
  }
  const auto sessions = pool(readers);
  start_checkpointer(sessions);
  start_writer();
  std::atomic<bool> over = false;
  std::atomic<std::int64_t> answers = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        const auto loan = sessions->borrow(patience);
        EXPECT_TRUE(loan && (*loan)->list_events(told_.run, event_seq{0}, events));
        ++answers;
      }
    });
  }
  commit(commits);
  over = true;
  threads.clear();
  std::cout << commits << " commits, " << answers << " answers meanwhile: the log began " << beginnings_
            << " times and had " << largest_ / 4'096 << " pages at most\n";
  EXPECT_GT(answers, readers);
  EXPECT_GE(beginnings_, 2);
}

// Invariant 2.
TEST_F(log_checkpointer_test, makes_no_reader_pause_for_a_short_log) {
  const auto sessions = pool(2);
  start_checkpointer(sessions);
  auto session = writer_on(options());
  write_pages(*session, anew_at / 2);
  EXPECT_FALSE(pauses_readers(*sessions));
  write_pages(*session, 1);
  EXPECT_EQ(beginnings_, 2) << "it was moved whole, so that the next commit began it anew";
}

// Invariant 3.
TEST_F(log_checkpointer_test, tries_again_at_twice_the_length_where_another_programs_reader_is_in_the_way) {
  const auto sessions = pool(2);
  start_checkpointer(sessions);
  auto session = writer_on(options());
  write_pages(*session, 1);
  {
    SQLite::Database other{place_.path().string(), SQLite::OPEN_READONLY};
    const SQLite::Transaction reading{other};
    ASSERT_GT(other.execAndGet("SELECT count(*) FROM events").getInt(), 0);
    write_pages(*session, anew_at);
    EXPECT_TRUE(pauses_readers(*sessions));
    write_pages(*session, 1);
    EXPECT_FALSE(pauses_readers(*sessions)) << "nobody waits for what cannot be done";
    write_pages(*session, anew_at + 10);
    EXPECT_TRUE(pauses_readers(*sessions));
    write_pages(*session, 1);
    EXPECT_EQ(beginnings_, 1);
  }
  checkpoint();
  write_pages(*session, 1);
  EXPECT_EQ(beginnings_, 2);
}

// Invariant 4.
TEST_F(log_checkpointer_test, goes_on_with_a_fresh_connection_after_an_error_of_the_disk) {
  start_checkpointer(nullptr);
  auto session = writer_on(options());
  write_pages(*session, anew_at);
  const auto before = all_rows(place_.path());
  fault_vfs::fault broken;
  broken.on = fault_vfs::operation::write;
  broken.for_ever = true;
  disk_.arm(broken);
  checkpoint();
  EXPECT_EQ(opened_, 1);
  checkpoint();
  EXPECT_EQ(opened_, 2);
  EXPECT_TRUE(disk_.heal());
  EXPECT_EQ(all_rows(place_.path()), before);
  write_pages(*session, 1);
  EXPECT_EQ(beginnings_, 1);
  checkpoint();
  write_pages(*session, 1);
  EXPECT_EQ(beginnings_, 2);
  EXPECT_EQ(opened_, 3);
}

}  // namespace
}  // namespace troupe
