// The orderly end of a node (SV-4): what becomes of its tasks, and what is left of it.
#include "storage/lease.hpp"
#include "storage/read_session.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace troupe {
namespace {

using std::chrono::steady_clock;

constexpr const char* two_agents = R"(
name = "two"
[[step]]
id = "ask"
agents = ["quick", "stubborn"]
[step.consensus]
strategy = "collect"
)";

class shutdown_test : public node_fixture {
 protected:
  // `quick` takes 300 ms; `stubborn` hears no SIGTERM, and has a child and an orphan.
  std::string config(const std::string& limits) const {
    const auto command = [](std::vector<std::string> words) {
      std::string list;
      words.insert(words.begin(), TROUPE_SCRIPTED_CHILD_PATH);
      for (const auto& word : words) {
        list += (list.empty() ? "'" : ", '") + word + '\'';
      }
      return "command = [" + list + "]\n";
    };
    return "[runtime]\n" + limits + "[agents.quick]\n" + command({"mark", mark_, "work", "300", "print", "done"}) +
           "[agents.stubborn]\n" +
           command(
               {"mark", mark_, "ignore-term", "fork", "hang", "--", "detach", "hang", "--", "print", "half", "hang"});
  }

  // Both have started, and the tree of the stubborn one is whole.
  std::unique_ptr<node> start_both(const std::string& limits) {
    auto running = start_node(config(limits));
    const auto given = running->submit({flow(two_agents), json_text{"{}"}, "", run_id{"r-1"}});
    EXPECT_TRUE(given.has_value());
    running->subscribe(run_id{"r-1"}, event_seq{0}, recorder_.listener());
    EXPECT_TRUE(becomes_true([&] { return processes_marked(mark_).size() == 4; }));
    return running;
  }

  void expect_nothing_left() const {
    EXPECT_EQ(processes_marked(mark_).size(), 0U);
    EXPECT_TRUE(children_of(::getpid()).empty());
    EXPECT_TRUE(becomes_true([&] { return threads() == threads_before_; }));  // the last are about to return
    EXPECT_EQ(open_descriptors(), descriptors_before_);
    EXPECT_FALSE(is_lease_held(database_path()));
    EXPECT_EQ(file_text(database_path() + "-wal").size(), 0U);
  }

  storage_options options() const {
    storage_options made;
    made.path = database_path();
    return made;
  }

  run_view stored_run() const {
    auto session = read_session::open(options());
    const auto found = (*session)->find_run(run_id{"r-1"});
    EXPECT_TRUE(found.has_value());
    return found ? *found : run_view{};
  }

  std::map<std::string, task_state> stored_tasks() const {
    auto session = read_session::open(options());
    std::map<std::string, task_state> states;
    const auto tasks = (*session)->list_tasks(run_id{"r-1"});
    for (const auto& task : *tasks) {
      states[task.agent.str()] = task.state;
    }
    return states;
  }

  const std::string mark_ = new_mark();
  const std::size_t threads_before_ = threads();
  const std::size_t descriptors_before_ = open_descriptors();
};

TEST_F(shutdown_test, an_idle_node_leaves_nothing) {
  start_node()->stop(stop_mode::drain);
  expect_nothing_left();
}

TEST_F(shutdown_test, tasks_get_their_time_and_the_rest_is_interrupted_and_paused) {
  auto running = start_both("drain_timeout = '2s'\nkill_grace = '100ms'\n");
  running->stop(stop_mode::drain);
  EXPECT_EQ(stored_run().state, run_state::paused);
  EXPECT_EQ(stored_tasks()["quick"], task_state::completed);
  EXPECT_EQ(stored_tasks()["stubborn"], task_state::interrupted);
  running.reset();
  expect_nothing_left();
}

TEST_F(shutdown_test, nothing_new_is_taken) {
  auto running = start_both("drain_timeout = '500ms'\nkill_grace = '100ms'\n");
  std::thread stopper{[&] { running->stop(stop_mode::drain); }};
  // Until then some are taken, and are drained as well, however late they came.
  EXPECT_TRUE(becomes_true([&] { return !running->submit({flow(two_agents), json_text{"{}"}, "", {}}); }));
  stopper.join();
  const auto late = running->submit({flow(two_agents), json_text{"{}"}, "", {}});
  ASSERT_FALSE(late.has_value());
  running.reset();
  expect_nothing_left();
}

TEST_F(shutdown_test, a_second_stop_shortens_the_first) {
  auto running = start_both("drain_timeout = '1h'\nkill_grace = '1h'\n");
  const auto begun = steady_clock::now();
  std::thread first{[&] { running->stop(stop_mode::drain); }};
  EXPECT_TRUE(becomes_true([&] { return !running->submit({flow(two_agents), json_text{"{}"}, "", {}}); }));
  running->stop(stop_mode::at_once);
  first.join();
  EXPECT_LT(steady_clock::now() - begun, test_patience);
  EXPECT_EQ(stored_run().state, run_state::paused);
  EXPECT_EQ(stored_tasks()["stubborn"], task_state::interrupted);
  running.reset();
  expect_nothing_left();
}

TEST_F(shutdown_test, a_node_that_goes_away_stops_at_once) {
  start_both("drain_timeout = '1h'\nkill_grace = '1h'\n").reset();
  expect_nothing_left();
  EXPECT_EQ(stored_run().state, run_state::paused);
}

TEST_F(shutdown_test, the_next_node_goes_on_with_what_was_paused) {
  start_both("drain_timeout = '1h'\nkill_grace = '1h'\n").reset();
  auto next = start_node("[agents.quick]\ncommand = ['echo', 'x']\n[agents.stubborn]\ncommand = ['echo', 'x']\n");
  const auto again = next->submit({flow(two_agents), json_text{"{}"}, "", run_id{"r-1"}});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->resumed);
  next->stop(stop_mode::at_once);
  next.reset();
  expect_nothing_left();
}

}  // namespace
}  // namespace troupe
