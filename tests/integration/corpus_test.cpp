// EN-4: every workflow of the corpus comes to the same, superstep by superstep, however many workers there are.
#include "tests/integration/corpus.hpp"

#include "tests/support/node_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace troupe {
namespace {

class corpus_test : public node_fixture {
 protected:
  // A node of its own, on a database of its own.
  std::unique_ptr<node> start_fresh(int workers) {
    for (const auto* end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(database_path() + end);
    }
    return start_node("[storage]\ndurability = 'normal'\n[runtime]\nworkers = " + std::to_string(workers) + '\n',
                      corpus_functions());
  }

  static std::string named(const corpus_entry& entry, int workers) {
    const std::string limit = "max_concurrent = " + std::to_string(workers) + '\n';
    const auto own = entry.toml.find("[limits]\n");
    const auto text =
        own == std::string::npos ? entry.toml + "[limits]\n" + limit : std::string{entry.toml}.insert(own + 9, limit);
    return "name = '" + entry.name + "'\n" + text;
  }

  // All of them side by side. By name.
  std::map<std::string, run_view> carry_out(node& in, const std::vector<corpus_entry>& entries, int workers) {
    std::map<std::string, run_recorder> recorders;
    for (const auto& entry : entries) {
      submission what;
      what.flow = flow(named(entry, workers));
      what.id = run_id{"r-" + entry.name};
      const auto run = in.submit(what);
      EXPECT_TRUE(run.has_value()) << entry.name << ": " << (run ? "" : run.error().message);
      in.subscribe(what.id, event_seq{0}, recorders[entry.name].listener());
    }
    std::map<std::string, run_view> runs;
    for (auto& [name, recorder] : recorders) {
      EXPECT_TRUE(recorder.wait_for_end(std::chrono::seconds{60})) << name;
      const auto view = in.find_run(run_id{"r-" + name});
      EXPECT_TRUE(view.has_value()) << name;
      runs[name] = view ? *view : run_view{};
    }
    return runs;
  }

  /// Its end, then number, hash and key of each superstep.
  std::string record_of(const run_view& run) {
    std::string all = std::string{to_string(run.state)} + ' ' + (run.why ? std::string{to_string(run.why->code)} : "") +
                      ' ' + (run.failed_step ? run.failed_step->str() : "") + ' ' + run.result.str() + ' ' +
                      run.state_hash + ' ' + std::to_string(run.steps) + '\n';
    SQLite::Database database{database_path(), SQLite::OPEN_READONLY};
    SQLite::Statement rows{database,
                           "SELECT superstep, front, state_hash, idempotency_key FROM supersteps WHERE run_id = ?"
                           " AND committed_at IS NOT NULL ORDER BY superstep"};
    rows.bind(1, run.run.str());
    while (rows.executeStep()) {
      for (int i = 0; i < 4; ++i) {
        all += rows.getColumn(i).getString() + ' ';
      }
      all += '\n';
    }
    return all;
  }
};

TEST_F(corpus_test, comes_to_the_same_with_1_2_8_and_64_workers) {
  const auto entries = corpus();
  EXPECT_GE(entries.size(), 40U);
  std::map<std::string, std::string> expected;
  for (const int workers : {1, 2, 8, 64}) {
    const auto node = start_fresh(workers);
    ASSERT_NE(node, nullptr);
    const auto runs = carry_out(*node, entries, workers);
    for (const auto& entry : entries) {
      const auto& run = runs.at(entry.name);
      EXPECT_EQ(run.why ? std::string{to_string(run.why->code)} : "", entry.code)
          << entry.name << ": " << (run.why ? run.why->message : "");
      const auto record = record_of(run);
      const auto [first, is_new] = expected.try_emplace(entry.name, record);
      EXPECT_EQ(record, first->second) << entry.name << " with " << workers << " workers";
    }
  }
}

}  // namespace
}  // namespace troupe
