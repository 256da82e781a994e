// EN-7, EN-10, RT-7: what a run may use, and what it comes to when it is large; through a whole node.
#include "tests/support/node_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::chrono::seconds patience{5};
#else
constexpr std::chrono::seconds patience{2};
#endif

std::string step(const std::string& id, const std::string& rest) {
  return "[[step]]\nid = '" + id + "'\n" + rest + '\n';
}

std::string fan_out(int width, const std::string& function) {
  std::string next;
  std::string all;
  for (int k = 0; k < width; ++k) {
    const auto id = "b" + std::to_string(k);
    next += (k == 0 ? "'" : ", '") + id + '\'';
    all += step(id, "function = '" + function + "'");
  }
  return step("a", "function = '" + function + "'\nnext = [" + next + "]") + all;
}

std::string chain(int length, const std::string& function, const std::string& rest = "") {
  std::string all;
  for (int k = 0; k < length; ++k) {
    all += step(
        "s" + std::to_string(k),
        "function = '" + function + "'\n" + rest + (k + 1 < length ? "next = 's" + std::to_string(k + 1) + "'" : ""));
  }
  return all;
}

class engine_limits_test : public node_fixture {
 protected:
  // `count` counts its calls; `busy` takes 2 ms; `stubborn` half a second, whatever it is told.
  function_table functions() {
    function_table table;
    table["count"] = [this](const function_request&) -> result<function_reply> {
      ++calls_;
      return function_reply{};
    };
    table["busy"] = [](const function_request& request) -> result<function_reply> {
      static_cast<void>(request.sleep(milliseconds{2}));
      return function_reply{};
    };
    table["stubborn"] = [](const function_request& request) -> result<function_reply> {
      const auto until = steady_clock::now() + std::chrono::milliseconds{500};
      while (steady_clock::now() < until) {
        static_cast<void>(request.sleep(milliseconds{50}));
      }
      return function_reply{};
    };
    table["item"] = [](const function_request& request) -> result<function_reply> {
      function_reply reply;
      reply.value = *request.item;
      return reply;
    };
    return table;
  }

  std::int64_t count(event_kind kind) const {
    const auto events = recorder_.events();
    return std::ranges::count(events, kind, &event::kind);
  }

  static submission of(const std::string& toml, const std::string& id) {
    submission what;
    what.flow = flow(toml);
    what.id = run_id{id};
    return what;
  }

  std::atomic<int> calls_ = 0;
};

TEST_F(engine_limits_test, max_steps_is_exact_at_any_concurrency) {
  const auto node = start_node("", functions());
  for (const int at_once : {1, 2, 8, 64}) {
    calls_ = 0;
    const auto run = run_to_end(*node,
                                "name = 'ten'\n[limits]\nmax_steps = 10\nmax_concurrent = " + std::to_string(at_once) +
                                    '\n' + fan_out(100, "count"));
    EXPECT_EQ(run.state, run_state::failed);
    ASSERT_TRUE(run.why);
    EXPECT_EQ(run.why->code, error_code::max_steps_exceeded);
    EXPECT_EQ(run.failed_step, step_id{"b9"});
    EXPECT_EQ(calls_.load(), 10) << at_once << " at once";
    EXPECT_EQ(run.steps, 10) << at_once << " at once";
  }
}

TEST_F(engine_limits_test, the_narrowest_queue_holds_up_nobody_for_ever) {
  const auto node = start_node(
      "[storage]\ndurability = 'normal'\n[writer]\nqueue_depth = 1\nmax_batch = 1\n[runtime]\nworkers = "
      "1\nattempts_max = 1\n",
      functions());
  const auto run = run_to_end(*node, "name = 'narrow'\n[limits]\nmax_concurrent = 1\n" + fan_out(100, "count"));
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_EQ(calls_.load(), 101);
}

TEST_F(engine_limits_test, who_waits_for_the_queue_is_told_and_goes_on) {
  const auto node =
      start_node("[storage]\ndurability = 'normal'\n[writer]\nqueue_depth = 1\nmax_batch = 1\n[runtime]\nworkers = 1\n",
                 functions());
  const auto run = run_to_end(*node, "name = 'narrow'\n[limits]\nmax_concurrent = 100\n" + fan_out(100, "count"));
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_EQ(calls_.load(), 101);
  EXPECT_GE(count(event_kind::backpressure_on), 1);
}

// From the commit behind which a hundred attempts begin at once to the event in the listener's hands: the best of three, for
// a machine that has other things to do.
TEST_F(engine_limits_test, a_full_queue_is_told_within_a_tenth_of_a_second) {
  const auto node =
      start_node("[storage]\ndurability = 'normal'\n[writer]\nqueue_depth = 1\nmax_batch = 1\n[runtime]\nworkers = 1\n",
                 functions());
  auto best = steady_clock::duration::max();
  for (const auto* id : {"r-1", "r-2", "r-3"}) {
    ASSERT_TRUE(node->submit(of("name = 'narrow'\n[limits]\nmax_concurrent = 100\n" + fan_out(100, "count"), id)));
    std::mutex guard;
    std::optional<steady_clock::time_point> full;
    std::optional<steady_clock::time_point> told;
    run_recorder recorder;
    auto listener = recorder.listener();
    listener.events = [&, record = listener.events](const event_batch& batch) {
      {
        const std::scoped_lock lock{guard};
        for (const auto& each : batch) {
          if (each.kind == event_kind::superstep_committed && !full) {
            full = steady_clock::now();
          } else if (each.kind == event_kind::backpressure_on && full && !told) {
            told = steady_clock::now();
          }
        }
      }
      record(batch);
    };
    node->subscribe(run_id{id}, event_seq{0}, listener);
    ASSERT_TRUE(recorder.wait_for_end()) << "admission resumes";
    const std::scoped_lock lock{guard};
    ASSERT_TRUE(full && told) << id;
    best = std::min(best, *told - *full);
  }
  EXPECT_LT(best, std::chrono::milliseconds{100});
  EXPECT_EQ(calls_.load(), 3 * 101);
}

// Counted by the functions themselves: how many of them run.
TEST_F(engine_limits_test, max_concurrent_is_used_up_and_never_exceeded) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> wanted{0};
  auto table = functions();
  table["watched"] = [&](const function_request& request) -> result<function_reply> {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    for (int waits = 0; most < wanted && waits < 2'000; ++waits) {  // so that all who may run do
      static_cast<void>(request.sleep(milliseconds{1}));
    }
    static_cast<void>(request.sleep(milliseconds{1}));
    --running;
    return function_reply{};
  };
  const auto node = start_node("[storage]\ndurability = 'normal'\n", table);
  const std::string items = "[state.items]\ninitial = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]\n";
  const auto map = [&](int at_once) {
    return step("m",
                "map = { over = '/items', as = 'each', function = 'watched', max_concurrent = " +
                    std::to_string(at_once) + " }");
  };
  const auto run = [&](const std::string& id, int limit, int expected, const std::string& rest) {
    most = 0;
    wanted = expected;
    const auto limits = "name = '" + id + "'\n[limits]\nmax_concurrent = " + std::to_string(limit) + '\n';
    EXPECT_EQ(run_to_end(*node, limits + rest).state, run_state::completed) << id;
    EXPECT_EQ(most.load(), expected) << id;
  };
  run("one", 1, 1, fan_out(10, "watched"));
  run("three", 3, 3, step("first", "function = 'count'\nnext = 'a'") + fan_out(30, "watched"));
  run("map", 8, 2, items + map(2));
  run("run-below-map", 2, 2, items + map(8));
}

TEST_F(engine_limits_test, no_progress_is_told_at_once_and_names_who_is_missing) {
  const auto node = start_node("", functions());
  const auto began = steady_clock::now();
  const auto run = run_to_end(
      *node,
      "name = 'stuck'\n" + step("a", "function = 'count'\nnext = ['b', 'c']") +
          step("b", "function = 'count'\nnext = ['j']") +
          step("c",
               "function = 'count'\nnext = [{ to = 'j', when = { path = '/none', exists = true } }, { to = 'd' }]") +
          step("d", "function = 'count'") + step("j", "function = 'count'\njoin = ['b', 'c']"));
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why);
  EXPECT_EQ(run.why->code, error_code::no_progress);
  EXPECT_THAT(run.why->message, HasSubstr("the join 'j' waits for 'c'"));
  EXPECT_EQ(run.supersteps, 3) << "b and c, then d, and then it is known";
  EXPECT_EQ(run.steps, 4);
  EXPECT_EQ(calls_.load(), 4);
  EXPECT_LT(steady_clock::now() - began, patience);
}

TEST_F(engine_limits_test, the_wall_clock_stops_a_run_in_time_and_it_has_not_succeeded) {
  const auto node = start_node("[runtime]\nkill_grace = '100ms'\ndrain_grace = '100ms'\n", functions());
  for (const auto& work :
       {std::string{"function = 'probe.sleep'\nargs = { ms = 60000 }"}, std::string{"function = 'stubborn'"}}) {
    const auto began = steady_clock::now();
    const auto run = run_to_end(*node, "name = 'late'\n[limits]\nwall_clock = '200ms'\n" + step("a", work));
    EXPECT_LT(steady_clock::now() - began, patience) << work;
    EXPECT_GE(steady_clock::now() - began, milliseconds{200}) << work;
    EXPECT_EQ(run.state, run_state::failed) << work;
    ASSERT_TRUE(run.why) << work;
    EXPECT_EQ(run.why->code, error_code::run_timeout) << work << ": " << run.why->message;
  }
}

TEST_F(engine_limits_test, a_loop_without_end_is_stopped_by_the_wall_clock) {
  const auto node = start_node("", functions());
  const auto began = steady_clock::now();
  const auto run = run_to_end(
      *node, "name = 'round'\n[limits]\nwall_clock = '300ms'\n" + step("a", "function = 'count'\nnext = 'a'"));
  EXPECT_LT(steady_clock::now() - began, patience);
  EXPECT_EQ(run.state, run_state::failed);
  ASSERT_TRUE(run.why);
  EXPECT_EQ(run.why->code, error_code::run_timeout) << run.why->message;
  EXPECT_GE(calls_.load(), 2) << "it went round";
}

TEST_F(engine_limits_test, a_big_run_does_not_starve_ten_small_ones) {
  const auto node = start_node("[storage]\ndurability = 'normal'\n[runtime]\nattempts_max = 4\n", functions());
  const auto big = node->submit(of("name = 'big'\n[limits]\nmax_concurrent = 1000\n" + fan_out(600, "busy"), "r-big"));
  ASSERT_TRUE(big) << big.error().message;
  std::vector<run_recorder> recorders(10);
  for (int i = 0; i < 10; ++i) {
    const auto id = "r-small-" + std::to_string(i);
    ASSERT_TRUE(node->submit(of("name = 'small'\n" + chain(3, "busy"), id)));
    node->subscribe(run_id{id}, event_seq{0}, recorders[static_cast<std::size_t>(i)].listener());
  }
  for (auto& each : recorders) {
    EXPECT_TRUE(each.wait_for_end());
  }
  const auto run = node->find_run(run_id{"r-big"});
  ASSERT_TRUE(run);
  EXPECT_EQ(run->state, run_state::running) << "the small ones had their turns before the big one was done";
  node->subscribe(run_id{"r-big"}, event_seq{0}, recorder_.listener());
  EXPECT_TRUE(recorder_.wait_for_end());
  EXPECT_EQ(node->find_run(run_id{"r-big"})->state, run_state::completed);
}

TEST_F(engine_limits_test, a_map_over_a_thousand_elements_gives_their_results_in_order) {
  std::string list = "[0";
  for (int i = 1; i < 1'000; ++i) {
    list += "," + std::to_string(i);
  }
  const auto node = start_node("[storage]\ndurability = 'normal'\n", functions());
  const auto run =
      run_to_end(*node,
                 "name = 'map'\n[limits]\nmax_concurrent = 64\n[state.items]\ninitial = " + list + "]\n" +
                     step("m", "map = { over = '/items', as = 'each', function = 'item' }\noutput = 'out'"));
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_EQ(run.result.str(), "{\"items\":" + list + "],\"out\":" + list + "]}");
  EXPECT_EQ(run.steps, 1'000);
}

// Each of five branches that take their time, and write into one list.
TEST_F(engine_limits_test, a_thousand_runs_at_once_come_to_one_state) {
  auto table = functions();
  table["name"] = [this](const function_request& request) -> result<function_reply> {
    ++calls_;
    thread_local std::minstd_rand random{std::random_device{}()};
    static_cast<void>(request.sleep(milliseconds{random() % 3}));
    function_reply reply;
    reply.value = json_text{'"' + request.step.str() + '"'};
    return reply;
  };
  const auto node = start_node("[storage]\ndurability = 'normal'\n[runtime]\nworkers = 8\n", table);
  constexpr int runs = 1'000;
  const std::string into_list = "function = 'name'\noutput = 'told'\n";
  std::string toml = "name = 'small'\n[state.told]\ninitial = []\nreduce = 'append'\n" +
                     step("a", into_list + "next = ['f', 'b', 'e', 'c', 'd']");
  for (const auto* id : {"b", "c", "d", "e", "f"}) {
    toml += step(id, into_list);
  }
  const auto one = flow(toml);
  std::vector<run_recorder> recorders(runs);
  for (int i = 0; i < runs; ++i) {
    submission what;
    what.flow = one;
    what.id = run_id{"r-" + std::to_string(i)};
    ASSERT_TRUE(node->submit(what));
    node->subscribe(what.id, event_seq{0}, recorders[static_cast<std::size_t>(i)].listener());
  }
  for (auto& each : recorders) {
    ASSERT_TRUE(each.wait_for_end(std::chrono::seconds{60}));
  }
  EXPECT_EQ(calls_.load(), 6 * runs);
  std::set<std::string> hashes;
  for (int i = 0; i < runs; ++i) {
    const auto run = node->find_run(run_id{"r-" + std::to_string(i)});
    ASSERT_TRUE(run);
    ASSERT_EQ(run->state, run_state::completed) << i;
    hashes.insert(run->state_hash);
    ASSERT_EQ(run->result.str(), R"({"told":["a","f","b","e","c","d"]})") << "the order of the routes; run " << i;
  }
  EXPECT_EQ(hashes.size(), 1U);
}

TEST_F(engine_limits_test, a_chain_over_a_large_state_grows_by_what_changes) {
  auto table = functions();
  table["fill"] = [](const function_request&) -> result<function_reply> {
    function_reply reply;
    reply.value = json_text{'"' + std::string(std::size_t{1} << 20U, 'x') + '"'};
    return reply;
  };
  const auto node = start_node("[storage]\ndurability = 'normal'\n", table);
  const auto run = run_to_end(*node,
                              "name = 'large'\n[state.n]\ninitial = 0\nreduce = 'sum'\n" +
                                  step("blob", "function = 'fill'\nnext = 's0'") +
                                  chain(60, "probe.add", "args = { field = 'n', value = 1 }\n"));
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_THAT(run.result.str(), HasSubstr("\"n\":60"));
  node->stop(stop_mode::drain);
  EXPECT_LT(std::filesystem::file_size(database_path()), 8U << 20U);
}

}  // namespace
}  // namespace troupe
