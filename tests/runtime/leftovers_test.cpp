// What a dead owner left: found by what the processes know of their run, never by a pid alone.
#include "runtime/os/leftovers.hpp"

#include "runtime/os/process_reactor.hpp"
#include "runtime/os/process_tree.hpp"
#include "tests/runtime/watched_child.hpp"
#include "tests/support/processes.hpp"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace troupe {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds patience{300};

// Alive until it is killed; in a session of its own, and nobody's child, as what keepers lose is.
class orphan {
 public:
  explicit orphan(const std::vector<std::string>& environment) : mark_(new_mark()) {
    std::vector<std::string> words{TROUPE_SCRIPTED_CHILD_PATH, "mark", mark_, "hang"};
    std::vector<std::string> variables = environment;
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> all;
      for (auto& text : texts) {
        all.push_back(text.data());
      }
      all.push_back(nullptr);
      return all;
    };
    auto argv = pointers(words);
    auto envp = pointers(variables);
    const pid_t child = ::fork();
    if (child == 0) {
      ::setsid();
      if (::fork() == 0) {
        ::execve(argv[0], argv.data(), envp.data());
      }
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 1; }));
  }
  orphan(const orphan&) = delete;
  orphan& operator=(const orphan&) = delete;
  ~orphan() {
    for (const pid_t left : processes_marked(mark_)) {
      ::kill(left, SIGKILL);
    }
  }

  pid_t pid() const {
    const auto found = processes_marked(mark_);
    return found.empty() ? 0 : found[0];
  }
  bool is_alive() const { return pid() != 0; }

 private:
  std::string mark_;
};

leftover of(const std::string& run, std::int64_t pid = 0, std::int64_t start_time = 0) {
  return {run_id{run}, pid, start_time};
}

milliseconds since(steady_clock::time_point begun) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun);
}

TEST(leftovers_test, what_knows_run_and_database_is_killed_whatever_its_parent) {
  const orphan ours{{"TROUPE_RUN_ID=r1", "TROUPE_DATABASE=/a.db"}};
  EXPECT_EQ(end_leftovers({of("r1")}, "/a.db", milliseconds{5'000}), 1);
  EXPECT_TRUE(becomes_true([&] { return !ours.is_alive(); }));
}

TEST(leftovers_test, other_runs_and_other_databases_are_nobodys_business) {
  const orphan other_run{{"TROUPE_RUN_ID=r2", "TROUPE_DATABASE=/a.db"}};
  const orphan longer_name{{"TROUPE_RUN_ID=r10", "TROUPE_DATABASE=/a.db"}};
  const orphan other_database{{"TROUPE_RUN_ID=r1", "TROUPE_DATABASE=/b.db"}};
  const orphan no_database{{"TROUPE_RUN_ID=r1"}};
  EXPECT_EQ(end_leftovers({of("r1")}, "/a.db", patience), 0);
  EXPECT_TRUE(other_run.is_alive() && longer_name.is_alive() && other_database.is_alive() && no_database.is_alive());
}

TEST(leftovers_test, a_pid_that_another_process_has_now_is_neither_killed_nor_waited_for) {
  const orphan stranger{{"A=b"}};
  const auto begun = steady_clock::now();
  const auto start_time = custody::start_time_of(stranger.pid());
  EXPECT_EQ(end_leftovers({of("r1", stranger.pid(), start_time - 1)}, "/a.db", milliseconds{20'000}), 0);
  EXPECT_LT(since(begun), milliseconds{10'000});
  EXPECT_TRUE(stranger.is_alive());
}

TEST(leftovers_test, a_process_that_is_the_same_but_hides_its_run_is_waited_for_and_not_killed) {
  const orphan hidden{{}};
  const auto begun = steady_clock::now();
  EXPECT_EQ(end_leftovers({of("r1", hidden.pid(), custody::start_time_of(hidden.pid()))}, "/a.db", patience), 0);
  EXPECT_GE(since(begun), patience);
  EXPECT_TRUE(hidden.is_alive());
}

TEST(leftovers_test, whom_a_custodian_looks_after_was_not_left_behind) {
  process_reactor reactor{{TROUPE_CUSTODIAN_PATH}};
  auto what = scripted({"hang"});
  what.environment = {"TROUPE_RUN_ID=r1", "TROUPE_DATABASE=/a.db"};
  const auto [handle, child] = start(reactor, what);
  ASSERT_TRUE(child->wait_for("started"));
  EXPECT_EQ(end_leftovers({of("r1")}, "/a.db", patience), 0);
  EXPECT_FALSE(child->was_told("exited"));
  reactor.kill(handle);
  EXPECT_TRUE(child->wait_for("ended"));
}

// The name stands in brackets before the figures, and may hold some itself.
TEST(leftovers_test, a_process_is_the_same_whatever_it_calls_itself) {
  int go[2];
  int done[2];
  ASSERT_EQ(::pipe(go), 0);
  ASSERT_EQ(::pipe(done), 0);
  char byte = 'x';
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(::read(go[0], &byte, 1));
    ::prctl(PR_SET_NAME, ") S 1 (2) 3");
    static_cast<void>(::write(done[1], &byte, 1));
    ::pause();
    ::_exit(0);
  }
  const auto before = custody::start_time_of(child);
  EXPECT_GT(before, 0);
  ASSERT_EQ(::write(go[1], &byte, 1), 1);
  ASSERT_EQ(::read(done[0], &byte, 1), 1);
  EXPECT_EQ(custody::start_time_of(child), before);
  EXPECT_EQ(custody::parent_of(child), ::getpid());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int each : {go[0], go[1], done[0], done[1]}) {
    ::close(each);
  }
}

// The same pid and the same ticks since boot, but of a boot before this one.
TEST(leftovers_test, start_times_of_a_former_boot_are_not_compared) {
  const orphan stranger{{"A=b"}};
  auto former = of("r1", stranger.pid(), custody::start_time_of(stranger.pid()));
  former.started_at = boot_time() - std::chrono::hours{1};
  const auto begun = steady_clock::now();
  EXPECT_EQ(end_leftovers({former}, "/a.db", milliseconds{20'000}), 0);
  EXPECT_LT(since(begun), milliseconds{10'000});
  former.started_at = boot_time() + std::chrono::seconds{1};
  const auto again = steady_clock::now();
  EXPECT_EQ(end_leftovers({former}, "/a.db", patience), 0);
  EXPECT_GE(since(again), patience);
}

TEST(leftovers_test, the_time_of_boot_is_that_of_the_kernel) {
  const auto stat = file_text("/proc/stat");
  const auto at = stat.find("\nbtime ");
  ASSERT_NE(at, std::string::npos);
  const timestamp told{std::chrono::seconds{std::stoll(stat.substr(at + 7))}};
  EXPECT_LT(std::chrono::abs(boot_time() - told), std::chrono::seconds{5});
}

}  // namespace
}  // namespace troupe
