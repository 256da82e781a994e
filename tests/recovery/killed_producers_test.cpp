// WR-7 at full strength: a process with the real writer and 32 producers is killed at any instant, again and again. The
// journal of what it acknowledged is kept by the one who kills. After each kill every acknowledged fact is in the database,
// what was not acknowledged is there in whole or not at all, and the next process tells it again under the same key.
//
// TROUPE_KILLS=5000 sets the number of kills, TROUPE_SEED=7 the seed.
#include "storage/check.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_database.hpp"
#include "tests/support/told_runs.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using about = host_report::about;
using std::chrono::microseconds;
using clock = std::chrono::steady_clock;

constexpr std::int64_t producers = 32;

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::atoll(given);
}

// One producer as its acknowledgements tell it: all facts before this one are on disk.
struct told_so_far {
  std::int64_t run = 0;
  std::int64_t fact = 0;
};

class host_process {
 public:
  host_process(const std::filesystem::path& database, const std::vector<told_so_far>& from) {
    std::array<int, 2> input{};
    std::array<int, 2> output{};
    EXPECT_EQ(::pipe2(input.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
    std::vector<std::string> words{TROUPE_WRITER_HOST_PATH, database.string()};
    for (const auto& each : from) {
      words.push_back(std::to_string(each.run) + ':' + std::to_string(each.fact));
    }
    std::vector<char*> arguments;
    for (auto& word : words) {
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, TROUPE_WRITER_HOST_PATH, &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
  }

  host_process(const host_process&) = delete;
  host_process& operator=(const host_process&) = delete;
  ~host_process() {
    kill();
    ask_to_stop();
    ::close(output_);
  }

  void ask_to_stop() {
    if (input_ >= 0) {
      ::close(std::exchange(input_, -1));
    }
  }

  /// Nothing: `until` has come, or nobody can report any more.
  std::optional<host_report> hear(clock::time_point until) {
    pollfd waiting{output_, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - clock::now()).count();
    const timespec at_most{std::max<long>(left, 0) / 1'000'000'000, std::max<long>(left, 0) % 1'000'000'000};
    host_report told;
    if (::ppoll(&waiting, 1, &at_most, nullptr) != 1 ||
        ::read(output_, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) {
      return std::nullopt;
    }
    return told;
  }

  /// The status that it ended with: 0, or 128 and the signal.
  int wait() {
    if (pid_ > 0) {
      int ended = 0;
      EXPECT_EQ(::waitpid(pid_, &ended, 0), pid_);
      status_ = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
      pid_ = 0;
    }
    return status_;
  }
  int kill() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
    }
    return wait();
  }

 private:
  pid_t pid_ = 0;
  int input_ = -1;
  int output_ = -1;
  int status_ = 0;
};

// A database with the journal of what was acknowledged of it.
class journal {
 public:
  explicit journal(std::filesystem::path database) : path(std::move(database)), told(producers) {}

  std::vector<std::string> wrong;

  void begin_cycle() {
    newest = about::taking_lease;
    reports = 0;
  }

  void note(const host_report& report) {
    ++reports;
    newest = report.what;
    if (report.what == about::refused) {
      wrong.push_back("refused with code " + std::to_string(report.last));
    } else if (report.what == about::acknowledged) {
      acknowledge(report);
    }
  }

  // What the database says of every run that was told of since the last look.
  void look() {
    if (acknowledged == 0 && !is_migrated()) {
      return;
    }
    SQLite::Database file{path.string(), SQLite::OPEN_READONLY, 5'000};
    for (std::int64_t producer = 0; producer < producers; ++producer) {
      const auto& now = told[static_cast<std::size_t>(producer)];
      for (auto& from = looked_at_[producer]; from < now.run; ++from) {
        expect(file, producer, from, facts_of_a_run, facts_of_a_run);
      }
      const auto last = now.fact + 1;  // told, and perhaps not answered
      const bool is_there = expect(file, producer, now.run, now.fact, last) == last;
      committed_unheard += is_there && !in_doubt_[producer] ? 1 : 0;
      in_doubt_[producer] = is_there;
      expect(file, producer, now.run + 1, 0, 0);
    }
  }

  void check() {
    storage_options options;
    options.path = path;
    const auto findings = check_database(options);
    if (!findings) {
      wrong.push_back(findings.error().message);
      return;
    }
    for (const auto& each : *findings) {
      wrong.push_back(each.rule + ": " + each.text);
    }
  }

  std::filesystem::path path;
  std::vector<told_so_far> told;
  std::int64_t acknowledged = 0;
  std::int64_t repeated = 0;
  std::int64_t committed_unheard = 0;
  about newest = about::taking_lease;  ///< Of this cycle.
  std::int64_t reports = 0;            ///< Of this cycle.

 private:
  bool is_migrated() const {
    try {
      SQLite::Database file{path.string(), SQLite::OPEN_READONLY};
      return file.execAndGet("PRAGMA user_version").getInt() > 0;
    } catch (const SQLite::Exception&) {
      return false;  // there is no file yet
    }
  }

  void acknowledge(const host_report& report) {
    ++acknowledged;
    auto& next = told[static_cast<std::size_t>(report.producer)];
    const auto name = told_run_id(report.producer, report.run) + ", fact " + std::to_string(report.fact);
    if (report.run != next.run || report.fact != next.fact) {
      wrong.push_back(name + " was acknowledged out of turn");
    }
    if (report.last != last_after_facts[static_cast<std::size_t>(report.fact) + 1]) {
      wrong.push_back(name + " was acknowledged as event " + std::to_string(report.last));
    }
    const bool was_there = std::exchange(in_doubt_[report.producer], false);
    if ((report.repeated != 0) != was_there) {
      wrong.push_back(name + (was_there ? " was on disk, and was written again" : " was answered as a repeat"));
    }
    repeated += report.repeated;
    next =
        report.fact + 1 == facts_of_a_run ? told_so_far{report.run + 1, 0} : told_so_far{report.run, report.fact + 1};
  }

  // How many facts of the run there are. Each of them in whole: its key, its events, its rows.
  std::int64_t expect(
      SQLite::Database& file, std::int64_t producer, std::int64_t run, std::int64_t least, std::int64_t most) {
    SQLite::Statement row{
        file,
        "SELECT (SELECT count(*) FROM write_keys WHERE run_id = ?1),"
        " (SELECT group_concat(kind) FROM (SELECT kind FROM events WHERE run_id = ?1 ORDER BY seq)),"
        " (SELECT max(seq) FROM events WHERE run_id = ?1), (SELECT last_seq FROM runs WHERE run_id = ?1),"
        " (SELECT count(*) FROM attempts JOIN tasks USING (task_id) WHERE run_id = ?1),"
        " (SELECT count(*) FROM attempt_output JOIN tasks USING (task_id) WHERE run_id = ?1),"
        " (SELECT count(*) FROM consensus_verdicts WHERE run_id = ?1),"
        " (SELECT count(*) FROM runs WHERE run_id = ?1 AND state = 'completed')"};
    const auto id = told_run_id(producer, run);
    row.bind(1, id);
    row.executeStep();
    const std::int64_t facts = row.getColumn(0).getInt64();
    if (facts < least || facts > most) {
      wrong.push_back(id + " has " + std::to_string(facts) + " facts, " + std::to_string(least) + " to " +
                      std::to_string(most) + " were told");
      return facts;
    }
    const auto at = static_cast<std::size_t>(facts);
    const std::array<std::int64_t, 6> is{row.getColumn(2).getInt64(),
                                         row.getColumn(3).getInt64(),
                                         row.getColumn(4).getInt64(),
                                         row.getColumn(5).getInt64(),
                                         row.getColumn(6).getInt64(),
                                         row.getColumn(7).getInt64()};
    const std::array<std::int64_t, 6> should_be{
        last_after_facts[at], last_after_facts[at], facts >= 2, facts >= 3, facts >= 5, facts >= 5};
    if (row.getColumn(1).getString() != events_after_facts[at] || is != should_be) {
      wrong.push_back(id + " is there in part after " + std::to_string(facts) +
                      " facts: " + row.getColumn(1).getString());
    }
    return facts;
  }

  std::map<std::int64_t, bool> in_doubt_;           // its next fact was found on disk without having been acknowledged
  std::map<std::int64_t, std::int64_t> looked_at_;  // runs before this one
};

// When to kill: at the end of `wait`, which begins with `from` or with so many reports.
struct instant {
  about from = about::acknowledged;
  std::int64_t reports = 0;
  microseconds wait{0};
  bool at_start = false;
  bool new_database = false;
  bool stop = false;
};

instant draw(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t limit) { return static_cast<std::int64_t>(random() % limit); };
  switch (below(10)) {
    case 0:
      return {.wait = microseconds{below(12'000)}, .at_start = true};
    case 1:
      return {.from = about::taking_lease, .wait = microseconds{below(12'000)}, .new_database = true};
    case 2:
      return {.from = about::taking_lease, .wait = microseconds{below(3'000)}};
    case 3:
      return {.from = about::opening, .wait = microseconds{below(4'000)}};
    case 4:
    case 5:
      return {.from = about::closing, .wait = microseconds{below(3'000)}, .stop = true};
    default:
      return {.reports = 3 + below(100), .wait = microseconds{below(2'000)}};
  }
}

// The status that the host ended with.
int run_until(host_process& host, journal& of, const instant& when) {
  const auto hang = clock::now() + test_patience;
  const auto hear_until = [&](clock::time_point until, const auto& enough) {
    while (!enough()) {
      const auto report = host.hear(until);
      if (!report) {
        return;
      }
      of.note(*report);
    }
  };
  if (when.stop) {
    hear_until(hang, [&] { return of.reports > 20; });
    host.ask_to_stop();
    hear_until(hang, [&] { return of.newest == about::closing; });
  } else if (!when.at_start) {
    hear_until(
        hang, [&] { return when.reports > 0 ? of.reports >= when.reports : of.reports > 0 && of.newest >= when.from; });
  }
  hear_until(clock::now() + when.wait, [] { return false; });
  const int status = host.kill();
  hear_until(hang, [] { return false; });  // what it had told before
  return status;
}

void stop_in_order(journal& of) {
  of.begin_cycle();
  host_process host{of.path, of.told};
  const auto hang = clock::now() + test_patience;
  while (of.reports < 60) {
    const auto report = host.hear(hang);
    ASSERT_TRUE(report);
    of.note(*report);
  }
  host.ask_to_stop();
  while (const auto report = host.hear(hang)) {
    of.note(*report);
  }
  EXPECT_EQ(host.wait(), 0);
  EXPECT_EQ(of.newest, about::closed);
  of.look();
  of.check();
  EXPECT_TRUE(of.wrong.empty()) << of.wrong.front();
}

TEST(killed_producers, lose_nothing_acknowledged_double_nothing_and_leave_nothing_in_part) {
  const auto kills = from_environment("TROUPE_KILLS", 200);
  const auto seed = from_environment("TROUPE_SEED", static_cast<std::int64_t>(std::random_device{}()));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{static_cast<std::uint64_t>(seed)};
  const auto began = clock::now();
  const temporary_database place;
  journal main{place.path()};
  std::map<about, std::int64_t> killed_in;
  std::int64_t at_work = 0;
  std::int64_t new_databases = 0;
  std::int64_t too_late = 0;
  std::int64_t of_new = 0;
  const auto check_each = std::max<std::int64_t>(20, kills / 25);
  for (std::int64_t cycle = 0; cycle < kills; ++cycle) {
    const auto when = draw(random);
    journal other{place.folder() / ("new-" + std::to_string(cycle) + ".db")};
    auto& of = when.new_database ? other : main;
    of.begin_cycle();
    int status = 0;
    {
      host_process host{of.path, of.told};
      status = run_until(host, of, when);
    }
    too_late += status == 0 ? 1 : 0;
    ASSERT_TRUE(status == 128 + SIGKILL || (status == 0 && when.stop)) << "cycle " << cycle << " ended with " << status;
    if (status != 0) {
      ++killed_in[of.reports == 0 ? about::taking_lease : of.newest];
      at_work += of.newest == about::acknowledged ? 1 : 0;
    }
    of.look();
    if (cycle % check_each == 0 && of.acknowledged > 0) {
      of.check();
    }
    ASSERT_TRUE(of.wrong.empty()) << "cycle " << cycle << ": " << of.wrong.front();
    if (when.new_database) {
      ++new_databases;
      stop_in_order(of);
      of_new += of.acknowledged;
      for (const auto* suffix : {"", "-wal", "-shm", ".lock"}) {
        std::filesystem::remove(of.path.string() + suffix);
      }
    }
  }
  stop_in_order(main);
  const auto took = std::chrono::duration_cast<milliseconds>(clock::now() - began);
  std::cout << "seed " << seed << ": " << kills << " cycles in " << took.count()
            << " ms; killed while taking the lease " << killed_in[about::taking_lease] << ", opening "
            << killed_in[about::opening] << ", at work " << at_work << ", closing " << killed_in[about::closing]
            << ", closed " << killed_in[about::closed] << ", already gone " << too_late << "; new databases "
            << new_databases << "\n"
            << main.acknowledged + of_new << " facts acknowledged, 0 lost, 0 doubled; " << main.committed_unheard
            << " committed whose answer was not heard, " << main.repeated
            << " of them told again and answered as repeats\n";
  if (kills >= 200) {
    for (const auto phase : {about::taking_lease, about::opening, about::acknowledged, about::closing}) {
      EXPECT_GT(killed_in[phase], 0) << "phase " << static_cast<int>(phase) << " was never hit";
    }
    EXPECT_GT(main.repeated, 0) << "no kill came between a commit and its answer";
    EXPECT_GT(new_databases, 0);
  }
}

}  // namespace
}  // namespace troupe
