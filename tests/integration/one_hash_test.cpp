// EN-2, EN-3: one end, however long each branch takes; through a whole node, with its threads and a database.
#include "tests/support/node_fixture.hpp"
#include "tests/support/superstep_record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr const char* eight_workers = "[storage]\ndurability = 'normal'\n[runtime]\nworkers = 8\n";

constexpr std::size_t branches = 5;

constexpr const char* five_branches = R"(
name = "five"
[state.told]
initial = []
reduce = "append"
[[step]]
id = "start"
function = "probe.append"
args = { field = "told", value = "start" }
next = ["b3", "b0", "b4", "b1", "b2"]
[[step]]
id = "b0"
function = "delayed"
next = "last"
[[step]]
id = "b1"
function = "delayed"
next = "last"
[[step]]
id = "b2"
function = "delayed"
next = "last"
[[step]]
id = "b3"
function = "delayed"
next = "last"
[[step]]
id = "b4"
function = "delayed"
next = "last"
[[step]]
id = "last"
function = "probe.append"
args = { field = "told", value = "last" }
)";

constexpr const char* three_draws = R"(
name = "draws"
[state.drawn]
initial = []
reduce = "append"
[[step]]
id = "start"
function = "probe.echo"
next = ["a", "b", "c"]
[[step]]
id = "a"
function = "probe.rng"
args = { field = "drawn", draws = 3 }
[[step]]
id = "b"
function = "probe.rng"
args = { field = "drawn", draws = 3 }
[[step]]
id = "c"
function = "probe.rng"
args = { field = "drawn", draws = 3 }
)";

constexpr const char* loop_in_a_fan_out = R"(
name = "loop"
[state.told]
initial = []
reduce = "append"
[state.rounds]
initial = 0
reduce = "sum"
[[step]]
id = "start"
function = "named"
next = ["left", "again", "right"]
[[step]]
id = "again"
function = "counted"
next = [{ to = "again", when = { path = "/rounds", lt = 10 } }, { to = "last" }]
[[step]]
id = "left"
function = "named"
next = "further"
[[step]]
id = "further"
function = "named"
[[step]]
id = "right"
function = "named"
[[step]]
id = "last"
function = "named"
)";

field_delta told(const function_request& request) {
  return {field_name{"told"}, json_text{'"' + request.step.str() + '"'}};
}

class one_hash_test : public node_fixture {
 protected:
  function_table functions() {
    function_table table;
    table["delayed"] = [this](const function_request& request) -> result<function_reply> {
      const auto branch = static_cast<std::size_t>(request.step.str().back() - '0');
      static_cast<void>(request.sleep(delays_[branch]));
      {
        const std::scoped_lock lock{guard_};
        came_.push_back(branch);
      }
      function_reply reply;
      reply.deltas = {told(request)};
      return reply;
    };
    table["named"] = [](const function_request& request) -> result<function_reply> {
      thread_local std::minstd_rand random{std::random_device{}()};
      static_cast<void>(request.sleep(milliseconds{random() % 2}));
      function_reply reply;
      reply.deltas = {told(request)};
      return reply;
    };
    table["counted"] = [](const function_request& request) -> result<function_reply> {
      function_reply reply;
      reply.deltas = {told(request), {field_name{"rounds"}, json_text{"1"}}};
      return reply;
    };
    return table;
  }

  /// All of these at once, to their ends.
  std::map<run_id, run_view> carry_out(node& in, const std::vector<std::pair<run_id, workflow_ptr>>& runs) {
    std::map<run_id, run_recorder> recorders;
    for (const auto& [id, what] : runs) {
      submission submitted;
      submitted.flow = what;
      submitted.id = id;
      const auto reply = in.submit(submitted);
      EXPECT_TRUE(reply.has_value()) << id << ": " << (reply ? "" : reply.error().message);
      in.subscribe(id, event_seq{0}, recorders[id].listener());
    }
    std::map<run_id, run_view> ended;
    for (auto& [id, recorder] : recorders) {
      EXPECT_TRUE(recorder.wait_for_end(std::chrono::seconds{60})) << id;
      const auto view = in.find_run(id);
      EXPECT_TRUE(view.has_value()) << id;
      ended[id] = view ? *view : run_view{};
      EXPECT_EQ(ended[id].state, run_state::completed) << id;
    }
    return ended;
  }

  std::array<milliseconds, branches> delays_{};
  std::mutex guard_;
  std::vector<std::size_t> came_;  // Branches, in the order in which they were done.
};

// A database of its own for each round, so that it is the same run each time: its keys and its random streams are made of
// its id.
TEST_F(one_hash_test, five_branches_with_reversed_and_random_delays_and_branches_that_draw) {
  constexpr int rounds = 50;
  constexpr int draws = 5;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  std::vector<std::pair<run_id, workflow_ptr>> runs{{run_id{"five"}, flow(five_branches)}};
  const auto drawing = flow(three_draws);
  for (int i = 0; i < draws; ++i) {
    runs.emplace_back(run_id{"draws-" + std::to_string(i)}, drawing);
  }
  std::map<run_id, std::set<std::string>> ends;
  std::set<std::vector<std::size_t>> orders;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < branches; ++i) {
      delays_.at(i) = milliseconds{round == 0 ? 4 * (branches - 1 - i) : random() % 8};
    }
    came_.clear();
    const auto node = start_node_anew(eight_workers, functions());
    ASSERT_NE(node, nullptr);
    const auto ended = carry_out(*node, runs);
    orders.insert(came_);
    for (const auto& [id, run] : ended) {
      ends[id].insert(run.state_hash + '\n' + superstep_record(database_path(), id));
    }
    EXPECT_EQ(ended.at(run_id{"five"}).result.str(), R"({"told":["start","b3","b0","b4","b1","b2","last"]})")
        << "the order of the routes";
  }
  std::set<std::string> different;
  for (const auto& [id, ways] : ends) {
    EXPECT_EQ(ways.size(), 1U) << id << ": " << *ways.begin() << "and " << *ways.rbegin();
    EXPECT_EQ(std::ranges::count(*ways.begin(), '\n'), id == run_id{"five"} ? 5 : 4)
        << "the first state, and supersteps";
    different.insert(ways.begin()->substr(0, ways.begin()->find('\n')));
  }
  EXPECT_EQ(different.size(), runs.size()) << "each draws from streams of its own";
  EXPECT_GE(orders.size(), 10U) << "too few orders to show anything";
}

TEST_F(one_hash_test, a_loop_inside_a_fan_out_two_hundred_times) {
  const auto node = start_node(eight_workers, functions());
  const auto looping = flow(loop_in_a_fan_out);
  std::vector<std::pair<run_id, workflow_ptr>> runs;
  for (int i = 0; i < 200; ++i) {
    runs.emplace_back(run_id{"loop-" + std::to_string(i)}, looping);
  }
  std::set<std::string> hashes;
  for (const auto& [id, run] : carry_out(*node, runs)) {
    hashes.insert(run.state_hash);
    EXPECT_EQ(
        run.result.str(),
        R"({"rounds":10,"told":["start","left","again","right","further","again","again","again","again","again",)"
        R"("again","again","again","again","last"]})")
        << id;
    EXPECT_EQ(run.supersteps, 12) << id;
  }
  EXPECT_EQ(hashes.size(), 1U);
}

}  // namespace
}  // namespace troupe
