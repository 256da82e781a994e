#include "storage/lease.hpp"

#include "storage/check.hpp"
#include "storage/database.hpp"
#include "tests/storage/facts.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/temporary_database.hpp"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <barrier>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

lease_holder me(std::int64_t second = 0) { return {::getpid(), "here", at_second(second)}; }

// Another process that runs `body`, and tells one byte when it is ready; then it waits to be killed.
class other_process {
 public:
  explicit other_process(const std::function<char()>& body) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const char told = body();
      static_cast<void>(!::write(pipe[1], &told, 1));
      while (true) {
        ::pause();
      }
    }
    ::close(pipe[1]);
    static_cast<void>(!::read(pipe[0], &told_, 1));
    ::close(pipe[0]);
  }

  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() { kill(); }

  void kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = 0;
    }
  }

  pid_t pid() const noexcept { return pid_; }
  char told() const noexcept { return told_; }

 private:
  pid_t pid_ = 0;
  char told_ = '-';
};

class lease_test : public testing::Test {
 protected:
  // Holds the lease in the child for as long as it lives.
  char hold() const {
    static std::optional<lease> held;
    auto taken = lease::acquire(place.options(), {::getpid(), "there", at_second(7)});
    if (!taken) {
      return 'n';
    }
    held.emplace(*std::move(taken));
    return 'y';
  }

  temporary_database place;
};

TEST_F(lease_test, grows_its_epoch_with_each_owner) {
  for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
    const auto taken = lease::acquire(place.options(), me(epoch));
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(taken->epoch(), lease_epoch{epoch});
  }
  const auto info = describe_database(place.options());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->epoch, lease_epoch{3});
  EXPECT_EQ(info->last_holder->pid, ::getpid());
  EXPECT_EQ(info->last_holder->host, "here");
  EXPECT_EQ(info->last_holder->since, at_second(3));
}

TEST_F(lease_test, is_held_by_one_process_which_is_named_to_the_others) {
  const other_process holder{[&] { return hold(); }};
  ASSERT_EQ(holder.told(), 'y');
  const auto refused = lease::acquire(place.options(), me());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::lease_held);
  EXPECT_NE(refused.error().message.find("process " + std::to_string(holder.pid()) + " on there"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("since 2026-11-21T07:10:07.000000Z"), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(count_of(place.path(), "SELECT epoch FROM lease"), 1) << "a refused one changes nothing";
}

TEST_F(lease_test, is_free_at_once_when_its_holder_is_killed) {
  other_process holder{[&] { return hold(); }};
  ASSERT_EQ(holder.told(), 'y');
  holder.kill();
  const auto taken = lease::acquire(place.options(), me());
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(taken->epoch(), lease_epoch{2});
}

TEST_F(lease_test, excludes_another_runtime_of_the_same_process) {
  auto first = lease::acquire(place.options(), me());
  ASSERT_TRUE(first);
  EXPECT_EQ(code_of(lease::acquire(place.options(), me())), error_code::lease_held);
  { const auto dropped = *std::move(first); }
  EXPECT_TRUE(lease::acquire(place.options(), me()));
}

TEST_F(lease_test, is_not_inherited_by_a_program_that_is_started) {
  auto first = lease::acquire(place.options(), me());
  ASSERT_TRUE(first);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sleep", "sleep", "60", nullptr);
    ::_exit(1);
  }
  // The lock goes with the last copy of its descriptor; exec closes the child's.
  bool exec_done = false;
  for (int tries = 0; tries < 2000 && !exec_done; ++tries) {
    std::array<char, 64> name{};
    const auto link = "/proc/" + std::to_string(child) + "/exe";
    const auto length = ::readlink(link.c_str(), name.data(), name.size());
    exec_done = length > 0 && std::string_view{name.data(), static_cast<std::size_t>(length)}.ends_with("sleep");
    ::usleep(1'000);
  }
  EXPECT_TRUE(exec_done);
  { const auto dropped = *std::move(first); }
  EXPECT_TRUE(lease::acquire(place.options(), me()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(lease_test, stops_a_writer_that_outlived_its_lease) {
  story told{"r-1"};
  std::unique_ptr<write_session> old;
  {
    const auto first = lease::acquire(place.options(), me());
    ASSERT_TRUE(first);
    old = writer_on(place.options(), first->epoch().value());
    must_write(*old, told.created());
  }
  const auto second = lease::acquire(place.options(), me());
  ASSERT_TRUE(second);
  EXPECT_EQ(code_of(old->begin()), error_code::stale_epoch);
  const auto now = writer_on(place.options(), second->epoch().value());
  must_write(*now, told.resumed(2));
}

TEST_F(lease_test, names_nobody_when_the_lock_file_says_nothing) {
  const other_process holder{[&] { return hold(); }};
  ASSERT_EQ(holder.told(), 'y');
  ASSERT_EQ(::truncate((place.path().string() + ".lock").c_str(), 0), 0);
  const auto refused = lease::acquire(place.options(), me());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, error_code::lease_held);
  EXPECT_EQ(refused.error().message.rfind("another process writes to ", 0), 0U) << refused.error().message;
}

TEST_F(lease_test, does_not_touch_what_it_refuses) {
  std::filesystem::create_directory(place.path());
  EXPECT_EQ(code_of(lease::acquire(place.options(), me())), error_code::storage_unavailable);
}

TEST_F(lease_test, leaves_no_lock_file_beside_what_it_refuses) {
  const auto lock = place.path().string() + ".lock";
  const auto make = [&](const char* table, int version) {
    std::filesystem::remove(place.path());
    SQLite::Database file{place.path().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    file.exec(table);
    file.exec("PRAGMA user_version = " + std::to_string(version));
    if (version > 0) {
      file.exec("PRAGMA application_id = " + std::to_string(database_application_id));
    }
  };
  const std::vector<std::pair<std::function<void()>, error_code>> refused{
      {[&] { std::ofstream{place.path()} << std::string(5'000, 'x'); }, error_code::storage_corrupt},
      {[&] { make("CREATE TABLE bookmarks (url)", 0); }, error_code::storage_unavailable},
      {[&] { make("CREATE TABLE runs (id)", 99); }, error_code::storage_newer}};
  for (const auto& [put_there, code] : refused) {
    put_there();
    EXPECT_EQ(code_of(lease::acquire(place.options(), me())), code);
    EXPECT_FALSE(std::filesystem::exists(lock));
  }
  std::ofstream{lock} << "of somebody before";
  EXPECT_EQ(code_of(lease::acquire(place.options(), me())), error_code::storage_newer);
  EXPECT_TRUE(std::filesystem::exists(lock)) << "what was there is not ours to remove";
  std::filesystem::remove(place.path());
  EXPECT_TRUE(lease::acquire(place.options(), me()));
}

// Some are refused and remove the lock file that they made, at the moment at which others take the lease.
TEST_F(lease_test, has_one_holder_although_lock_files_come_and_go) {
  constexpr int rounds = 40;
  writer_on(place.options());
  auto refused = place.options();
  refused.vfs = "there is no such file system";
  for (int round = 0; round < rounds; ++round) {
    std::filesystem::remove(place.path().string() + ".lock");
    std::barrier together{4};
    std::array<std::optional<lease>, 2> taken;
    {
      std::vector<std::jthread> threads;
      for (auto& mine : taken) {
        threads.emplace_back([&] {
          together.arrive_and_wait();
          for (int tries = 0; tries < 20 && !mine; ++tries) {
            if (auto got = lease::acquire(place.options(), me())) {
              mine.emplace(*std::move(got));
            }
          }
        });
        threads.emplace_back([&] {
          together.arrive_and_wait();
          for (int tries = 0; tries < 20; ++tries) {
            EXPECT_FALSE(lease::acquire(refused, me()));
          }
        });
      }
    }
    ASSERT_LE((taken[0] ? 1 : 0) + (taken[1] ? 1 : 0), 1) << "round " << round;
  }
}

}  // namespace
}  // namespace troupe
