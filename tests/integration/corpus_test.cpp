// EN-4: every workflow of the corpus comes to the same, superstep by superstep, however many workers there are; and to what
// it means.
#include "tests/integration/corpus.hpp"

#include "messages/base/sha256.hpp"
#include "tests/integration/corpus_ends.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/superstep_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

// `#` is a whole number.
bool has_shape(std::string_view text, std::string_view shape) {
  for (const char wanted : shape) {
    if (wanted == '#') {
      const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
      if (end == 0) {
        return false;
      }
      text.remove_prefix(end);
    } else if (text.starts_with(wanted)) {
      text.remove_prefix(1);
    } else {
      return false;
    }
  }
  return text.empty();
}

class corpus_test : public node_fixture {
 protected:
  std::unique_ptr<node> start_fresh(int workers) {
    return start_node_anew(
        "[storage]\ndurability = 'normal'\n[runtime]\nworkers = " + std::to_string(workers) + '\n' + corpus_agents(),
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
    for (const auto& entry : entries) {
      vote(in, entry);
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

  // In the order of the votes; each level asks after the one before.
  static void vote(node& in, const corpus_entry& entry) {
    const run_id run{"r-" + entry.name};
    event_seq since{0};
    int level = 0;
    for (const auto& each : entry.votes) {
      if (each.level != std::exchange(level, each.level)) {
        run_recorder asked;
        in.subscribe(run, since, asked.listener());
        ASSERT_TRUE(asked.wait_for(event_kind::gate_opened, "g")) << entry.name << ", level " << each.level;
        const auto events = asked.events();
        since = std::ranges::find(events, event_kind::gate_opened, &event::kind)->seq;
      }
      gate_decision decision;
      decision.by = each.by;
      decision.choice = each.choice;
      decision.state_edit = each.edit;
      const auto taken = in.decide(run, {step_id{"g"}, {}, each.level, {}}, decision);
      ASSERT_TRUE(taken.has_value()) << entry.name << ", " << each.by << ": " << taken.error().message;
    }
  }

  static void expect_frozen(const corpus_entry& entry, const run_view& run) {
    EXPECT_EQ(run.state_hash, "sha256:" + sha256_hex(run.result.str())) << entry.name;
    const auto* known = std::ranges::find(corpus_ends, std::string_view{entry.name}, &corpus_end::name);
    const bool is_known = known != corpus_ends.end();
    EXPECT_TRUE(is_known && known->state_hash == run.state_hash && has_shape(run.result.str(), known->state))
        << "not as in corpus_ends.hpp" << (is_known ? ":\n  " + std::string{known->state} : "") << "\nbut:\n    {\""
        << entry.name << "\", \"" << run.state_hash << "\",\n     R\"(" << run.result.str() << ")\"},";
  }

  /// Its end, then number, hash and key of each superstep.
  std::string record_of(const run_view& run) {
    return std::string{to_string(run.state)} + ' ' + (run.why ? std::string{to_string(run.why->code)} : "") + ' ' +
           (run.failed_step ? run.failed_step->str() : "") + ' ' + run.result.str() + ' ' + run.state_hash + ' ' +
           std::to_string(run.steps) + '\n' + superstep_record(database_path(), run.run);
  }
};

TEST_F(corpus_test, comes_to_the_same_with_1_2_8_and_64_workers) {
  const auto entries = corpus();
  EXPECT_EQ(entries.size(), corpus_ends.size());
  std::map<std::string, std::string> expected;
  for (const int workers : {1, 2, 8, 64}) {
    const auto node = start_fresh(workers);
    ASSERT_NE(node, nullptr);
    const auto runs = carry_out(*node, entries, workers);
    for (const auto& entry : entries) {
      const auto& run = runs.at(entry.name);
      EXPECT_EQ(run.why ? std::string{to_string(run.why->code)} : "", entry.code)
          << entry.name << ": " << (run.why ? run.why->message : "");
      if (workers == 1) {
        expect_frozen(entry, run);
      }
      const auto record = record_of(run);
      const auto [first, is_new] = expected.try_emplace(entry.name, record);
      EXPECT_EQ(record, first->second) << entry.name << " with " << workers << " workers";
    }
  }
}

}  // namespace
}  // namespace troupe
