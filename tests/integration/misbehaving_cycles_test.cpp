// Again and again 24 agents at once, each of which does something else that agents should not: one final row for each task,
// written when nothing of it is left, and nothing of the cycles stays in this process.
//
// 10 cycles in the suite; more when asked: TROUPE_CYCLES=100, with TROUPE_SEED=7 the same ones.
#include "tests/support/node_fixture.hpp"
#include "tests/support/processes.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr int agents_known = 96;
constexpr int agents_at_once = 24;

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* const given = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return given == nullptr ? otherwise : std::atoll(given);
}

using script = std::vector<std::string>;

/// What agents do wrong, in any order and mixture.
class misbehaviour {
 public:
  explicit misbehaviour(std::uint64_t seed) : random_(seed) {}

  script next(const std::string& mark) {
    script made{"mark", mark};
    for (int i = below(4); i > 0; --i) {
      add(made, distraction());
    }
    add(made, ending());
    return made;
  }

  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

 private:
  static void add(script& to, const script& more) { to.insert(to.end(), more.begin(), more.end()); }

  std::string number(int from, int to) { return std::to_string(from + below(to - from + 1)); }

  script distraction() {
    switch (below(9)) {
      case 0:
        return {"print", "yes\n"};
      case 1:
        return {"complain", "no\n"};
      case 2:
        return {"flood", number(1, 300'000)};
      case 3:
        return {"flood-err", number(1, 300'000)};
      case 4:
        return {"fork", "hang", "--"};
      case 5:
        return {"detach", "ignore-term", "detach", "hang", "--", "hang", "--"};
      case 6:
        return {"detach", "close-output", "hang", "--"};
      case 7:
        return {"fork", "spin", "--"};
      default:
        return {"ignore-term"};
    }
  }

  script ending() {
    switch (below(6)) {
      case 0:
        return {"exit", number(0, 255)};
      case 1:
        return {"signal", std::to_string(std::vector{1, 2, 6, 9, 11, 15}[static_cast<std::size_t>(below(6))])};
      case 2:
        return {"hang"};
      case 3:
        return {"close-output", "hang"};
      case 4:
        return {"flood", "3000000"};
      default:
        return {"work", number(0, 50), "print", "done"};
    }
  }

  std::mt19937_64 random_;
};

std::string agents_of(misbehaviour& random, const std::string& mark) {
  std::string toml = "[storage]\nreaders_max = 2\n[runtime]\nkill_grace = '50ms'\ndrain_grace = '50ms'\n";
  for (int i = 0; i < agents_known; ++i) {
    toml += "[agents.a" + std::to_string(i) + "]\noutput_limit = '1MiB'\ncommand = ['" TROUPE_SCRIPTED_CHILD_PATH "'";
    for (const auto& word : random.next(mark)) {
      toml += ", " + json_string(word);
    }
    toml += "]\n";
  }
  return toml;
}

std::string flow_of(misbehaviour& random, int cycle) {
  std::vector<int> chosen(agents_known);
  for (int i = 0; i < agents_known; ++i) {
    chosen[static_cast<std::size_t>(i)] = i;
    std::swap(chosen[static_cast<std::size_t>(i)], chosen[static_cast<std::size_t>(random.below(i + 1))]);
  }
  std::string names;
  for (int i = 0; i < agents_at_once; ++i) {
    names += (i > 0 ? ", 'a" : "'a") + std::to_string(chosen[static_cast<std::size_t>(i)]) + '\'';
  }
  return "name = 'cycle" + std::to_string(cycle) +
         "'\n[limits]\nmax_concurrent = 24\n[[step]]\nid = 's'\ntimeout = '250ms'\nretry = { max_attempts = 1 }\n"
         "agents = [" +
         names + "]\n[step.consensus]\nstrategy = 'collect'\nquorum = 1\nretry_degraded = 0\n";
}

class misbehaving_cycles_test : public node_fixture {
 protected:
  /// Each task has one end, in its events and in its row, and its row says that the tree is gone.
  void expect_one_end_each(const run_id& run) {
    std::map<std::string, int> ends;
    for (const auto& fact : recorder_.events()) {
      const bool is_end = fact.kind == event_kind::task_completed || fact.kind == event_kind::task_failed ||
                          fact.kind == event_kind::task_cancelled;
      if (is_end) {
        ++ends[fact.task->str()];
      }
    }
    EXPECT_EQ(ends.size(), static_cast<std::size_t>(agents_at_once));
    for (const auto& [task, count] : ends) {
      EXPECT_EQ(count, 1) << task;
    }
    SQLite::Database database{database_path(), SQLite::OPEN_READONLY};
    const auto count = [&](const std::string& where) {
      SQLite::Statement rows{database,
                             "SELECT count(*) FROM tasks JOIN attempts USING (task_id) WHERE run_id = ? AND " + where};
      rows.bind(1, run.str());
      rows.executeStep();
      return rows.getColumn(0).getInt();
    };
    EXPECT_EQ(count("1"), agents_at_once);
    EXPECT_EQ(count("tasks.state IN ('completed', 'failed')"), agents_at_once);
    EXPECT_EQ(count("tree_gone = 1"), agents_at_once);
  }
};

TEST_F(misbehaving_cycles_test, leave_one_final_row_each_and_nothing_else) {
  const auto cycles = static_cast<int>(from_environment("TROUPE_CYCLES", 10));
  const auto seed = from_environment("TROUPE_SEED", static_cast<std::int64_t>(std::random_device{}() & 0xffffffU));
  std::cout << "seed " << seed << ", cycles " << cycles << '\n';
  SCOPED_TRACE("seed " + std::to_string(seed));
  misbehaviour random{static_cast<std::uint64_t>(seed)};
  const auto mark = new_mark();
  const auto threads_without = threads();
  start_node().reset();  // what a process opens once, for good
  const auto descriptors_without = open_descriptors();
  auto node = start_node(agents_of(random, mark));
  ASSERT_NE(node, nullptr);
  std::size_t threads_before = 0;
  std::size_t descriptors_before = 0;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    const auto run = run_to_end(*node, flow_of(random, cycle));
    ASSERT_TRUE(is_final(run.state));
    EXPECT_EQ(processes_marked(mark).size(), 0U) << "the rows are written when the trees are gone";
    expect_one_end_each(run.run);
    if (cycle == 0) {
      threads_before = threads();
      descriptors_before = open_descriptors();
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_TRUE(becomes_true([&] { return threads() <= threads_before; }, std::chrono::milliseconds{5'000}))
      << threads() << " threads, " << threads_before << " before";
  // The second of the two readers may have been wanted later than in the first cycle: database and log.
  const std::size_t most = descriptors_before + 2;
  EXPECT_TRUE(becomes_true([&] { return open_descriptors() <= most; }, std::chrono::milliseconds{5'000}))
      << open_descriptors() << " descriptors, " << descriptors_before << " before";
  recorder_ = run_recorder{};
  node.reset();
  // The system lists a thread for a moment after it was joined.
  EXPECT_TRUE(becomes_true([&] { return threads() == threads_without; }, std::chrono::milliseconds{5'000}))
      << threads() << " threads, " << threads_without << " without a node";
  EXPECT_EQ(open_descriptors(), descriptors_without);
  SQLite::Database database{database_path(), SQLite::OPEN_READONLY};
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM tasks").getInt(), cycles * agents_at_once);
}

}  // namespace
}  // namespace troupe
