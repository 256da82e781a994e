// WR-7 below the actors: a process that writes is killed at any instant. What it was told to be on disk is there, and
// nothing is there in part.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace troupe {
namespace {

// Writes one run after another, each in three transactions, and tells after each commit how far it is.
[[noreturn]] void write_until_killed(const storage_options& options, std::int64_t first, int told_to) {
  auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  if (!taken) {
    ::_exit(2);
  }
  auto session = write_session::open(options, taken->epoch());
  if (!session) {
    ::_exit(3);
  }
  for (std::int64_t n = first;; ++n) {
    story told{"r-" + std::to_string(n)};
    const auto task = told.task("survey", "claude");
    const std::array<std::vector<write_command>, 3> transactions{{
        {told.created(), told.started(task)},
        {told.printed(task, std::string(5'000, 'x')), told.finished(task, "1")},
        {told.committed(1, R"({"findings":["x"]})", {}, {story::alone("survey", "claude", "1")})},
    }};
    for (const auto& commands : transactions) {
      if (!(*session)->begin()) {
        ::_exit(4);
      }
      std::int64_t last = 0;
      for (const auto& command : commands) {
        const auto applied = (*session)->apply(command);
        if (!applied) {
          ::_exit(5);
        }
        last = applied->receipt.last.value();
      }
      if (!(*session)->commit()) {
        ::_exit(6);
      }
      const std::array<std::int64_t, 2> acknowledged{n, last};
      if (::write(told_to, acknowledged.data(), sizeof acknowledged) != sizeof acknowledged) {
        ::_exit(7);
      }
    }
  }
}

TEST(killed_writer, loses_nothing_acknowledged_and_leaves_nothing_in_part) {
  constexpr int cycles = 60;
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  SCOPED_TRACE("seed " + std::to_string(seed));
  const temporary_database place;
  auto options = place.options();
  options.busy_timeout = milliseconds{5'000};
  options.wal_autocheckpoint = 20;  // often, so that kills hit checkpoints, too
  std::map<std::int64_t, std::int64_t> acknowledged;
  std::int64_t next = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t writer = ::fork();
    if (writer == 0) {
      write_until_killed(options, next, pipe[1]);
    }
    ::close(pipe[1]);
    std::array<std::int64_t, 2> told{};
    const auto hear = [&] { return ::read(pipe[0], told.data(), sizeof told) == static_cast<ssize_t>(sizeof told); };
    // One half is killed some time after so many commits, the other while it opens or creates the file.
    if (cycle % 2 == 1) {
      for (int commits = std::uniform_int_distribution{1, 10}(random); commits > 0 && hear(); --commits) {
        acknowledged[told[0]] = told[1];
      }
    }
    ::usleep(std::uniform_int_distribution<unsigned>{0, 10'000}(random));
    ::kill(writer, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);
    while (hear()) {
      acknowledged[told[0]] = told[1];
    }
    ::close(pipe[0]);
    next += 1'000'000;
  }
  const auto taken = lease::acquire(options, {::getpid(), "here", at_second(0)});
  ASSERT_TRUE(taken) << taken.error().message;
  const auto findings = check_database(options);
  ASSERT_TRUE(findings) << findings.error().message;
  for (const auto& finding : *findings) {
    ADD_FAILURE() << finding.rule << ": " << finding.text;
  }
  EXPECT_GT(acknowledged.size(), 10U) << "the kills came too early to say anything";
  auto reader = read_session::open(options);
  ASSERT_TRUE(reader);
  for (const auto& [n, last] : acknowledged) {
    const auto run = (*reader)->find_run(run_id{"r-" + std::to_string(n)});
    ASSERT_TRUE(run) << "r-" << n << " was acknowledged up to event " << last;
    EXPECT_GE(run->last_seq.value(), last) << "r-" << n;
  }
}

}  // namespace
}  // namespace troupe
