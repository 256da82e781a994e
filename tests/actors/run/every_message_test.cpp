// The process dies, or the run is cancelled, between every two messages that the actors of a tree of runs send: whatever
// was under way, the rows hold together, and the next process comes to the state of a run that nobody disturbed. A seed
// chooses a part; TROUPE_MATRIX=all is every message.
#include "storage/check.hpp"
#include "tests/support/house.hpp"
#include "tests/support/nested.hpp"
#include "tests/support/sampling.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr std::size_t sample = 40;
constexpr int messages_max = 100'000;
const run_id root_run{"r-1"};

constexpr const char* leaf_toml = R"(
name = "leaf"
[inputs.x]
[[step]]
id = "ask"
agent = "a"
prompt = "{{inputs.x}}"
next = "count"
[[step]]
id = "count"
function = "count"
)";

std::string map_toml(const std::string& name) {
  return "name = '" + name + R"('
[inputs.x]
[state.list]
initial = [1, 2]
[[step]]
id = "first"
function = "count"
next = ["each", "beside"]
[[step]]
id = "beside"
agent = "b"
[[step]]
id = "each"
map = { over = "/list", as = "x", agent = "x" }
next = "last"
[[step]]
id = "last"
function = "count"
)";
}

// A tree of runs, three levels deep, in a house of its own.
class tree {
 public:
  tree() {
    house_.functions["count"] = [this](const function_request& asked) -> result<function_reply> {
      executions_[asked.task] += house_.is_alive() ? 1 : 0;
      return function_reply{json_text{"1"}, {}, {}, "", {}};
    };
  }

  void begin_process(bool agents_answer) {
    if (agents_answer) {
      house_.processes->answer_all_with("ok");
    }
    house_.start();
    house_.know(flow());
    caf::anon_send(house_.runs.get(), start_run{flow(), json_text{"{}"}, "", root_run});
  }

  // At most so many messages, until nothing moves. Gives how many it took. Processes that were told to end do.
  int pass(int messages) {
    int passed = 0;
    while (passed < messages) {
      if (house_.scheduler().try_run_once()) {
        ++passed;
      } else if (!end_terminated()) {
        break;
      }
    }
    return passed;
  }

  void cancel() { caf::anon_send(house_.runs.get(), cancel_run{root_run}); }

  void die() {
    for (const auto& each : runs()) {
      for (const auto& task : house_.tasks(each.run.str())) {
        if (is_final(task.state)) {
          committed_.try_emplace(task.task, task.attempt, executions_[task.task]);
        }
      }
    }
    house_.crash();
  }

  std::vector<run_view> runs() {
    auto session = read_session::open(house_.database.options());
    run_filter all;
    all.limit = 1'000;
    auto found = (*session)->list_runs(all);
    return found ? *std::move(found) : std::vector<run_view>{};
  }

  std::map<run_id, std::string> hashes() {
    std::map<run_id, std::string> found;
    for (const auto& each : runs()) {
      found[each.run] = std::string{to_string(each.state)} + ' ' + each.state_hash;
    }
    return found;
  }

  // Numbers without gaps, one final event for each task, nothing that waits in a run that has ended, and the rest.
  void expect_rows_hold() {
    const auto findings = check_database(house_.database.options());
    ASSERT_TRUE(findings.has_value());
    for (const auto& each : *findings) {
      ADD_FAILURE() << each.rule << ": " << each.text;
    }
  }

  void expect_nothing_again() {
    for (const auto& each : runs()) {
      for (const auto& task : house_.tasks(each.run.str())) {
        const auto before = committed_.find(task.task);
        if (before != committed_.end()) {
          EXPECT_EQ(task.attempt, before->second.first) << task.task << " was committed, and began again";
          EXPECT_EQ(executions_[task.task], before->second.second) << task.task << " was committed, and was done again";
        }
      }
    }
  }

  void expect_all_final() {
    for (const auto& each : runs()) {
      EXPECT_TRUE(is_final(each.state)) << each.run << " is " << to_string(each.state);
    }
  }

  std::size_t processes() const { return house_.processes->count(); }

 private:
  static workflow_ptr flow() {
    static const auto made = nested(map_toml("top"), nested(map_toml("middle"), alone(leaf_toml)));
    return made;
  }

  bool end_terminated() {
    bool any = false;
    for (std::size_t i = 0; i < house_.processes->count(); ++i) {
      const auto& each = house_.processes->at(i);
      if (each.terminated && !each.ended) {
        process_end end;
        end.exit.signal = SIGTERM;
        house_.processes->end(i, std::move(end));
        any = true;
      }
    }
    return any;
  }

  std::map<task_id, int> executions_;                        // of functions, in processes that lived
  std::map<task_id, std::pair<attempt_no, int>> committed_;  // when a process died: its attempt, its executions
  house house_;
};

// From `from` to `to`: all of them, or some that the seed chooses.
std::vector<int> places(int from, int to, std::mt19937_64& random) {
  std::vector<int> all(static_cast<std::size_t>(std::max(0, to - from)));
  std::iota(all.begin(), all.end(), from);
  if (!wants_all() && all.size() > sample) {
    std::vector<int> chosen;
    std::ranges::sample(all, std::back_inserter(chosen), sample, random);
    all = std::move(chosen);
  }
  return all;
}

class every_message_test : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }  // deaths are told a hundred times
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  const std::uint64_t seed_ = chosen_seed();
  std::mt19937_64 random_{seed_};
};

TEST_F(every_message_test, a_death_there_is_made_good_by_the_next_process) {
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed_));
  tree calm;
  calm.begin_process(true);
  const int whole = calm.pass(messages_max);
  const auto undisturbed = calm.hashes();
  ASSERT_EQ(undisturbed.size(), 7U);
  ASSERT_TRUE(undisturbed.at(root_run).starts_with("completed"));
  const auto died_at = places(0, whole, random_);
  for (const int place : died_at) {
    SCOPED_TRACE("after message " + std::to_string(place));
    tree disturbed;
    disturbed.begin_process(true);
    disturbed.pass(place);
    disturbed.die();
    disturbed.expect_rows_hold();
    disturbed.begin_process(true);
    disturbed.pass(static_cast<int>(random_() % static_cast<unsigned>(whole)));
    disturbed.die();
    disturbed.begin_process(true);
    disturbed.pass(messages_max);
    EXPECT_EQ(disturbed.hashes(), undisturbed);
    disturbed.expect_nothing_again();
    disturbed.expect_rows_hold();
    if (HasFailure()) {
      break;
    }
  }
  std::cout << died_at.size() << " of " << whole << " messages, seed " << seed_ << '\n';
}

TEST_F(every_message_test, a_cancel_there_leaves_nothing_that_waits) {
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed_));
  tree calm;
  calm.begin_process(true);
  const int whole = calm.pass(messages_max);
  const auto cancelled_at = places(0, whole, random_);
  for (const int place : cancelled_at) {
    SCOPED_TRACE("after message " + std::to_string(place));
    tree cancelled;
    cancelled.begin_process(true);
    cancelled.pass(place);
    cancelled.cancel();
    cancelled.pass(messages_max);
    cancelled.expect_all_final();
    cancelled.expect_rows_hold();
    if (HasFailure()) {
      break;
    }
  }
  std::cout << cancelled_at.size() << " of " << whole << " messages, seed " << seed_ << '\n';
}

// Of a cancel that was not committed whole: what has ended stays so, and where the first run has, nothing goes on.
TEST_F(every_message_test, a_death_in_the_middle_of_a_cancel_lets_nothing_go_on_that_has_ended) {
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed_));
  tree calm;
  calm.begin_process(false);
  calm.pass(messages_max);
  calm.cancel();
  const int whole = calm.pass(messages_max);
  calm.expect_all_final();
  const auto died_at = places(0, whole, random_);
  int ended_before = 0;
  for (const int place : died_at) {
    SCOPED_TRACE("after message " + std::to_string(place));
    tree disturbed;
    disturbed.begin_process(false);
    disturbed.pass(messages_max);
    disturbed.cancel();
    disturbed.pass(place);
    disturbed.die();
    disturbed.expect_rows_hold();
    const auto before = disturbed.hashes();
    const auto processes = disturbed.processes();
    const bool is_over = before.at(root_run).starts_with("cancelled");
    disturbed.begin_process(true);
    disturbed.pass(messages_max);
    disturbed.expect_all_final();
    disturbed.expect_rows_hold();
    disturbed.expect_nothing_again();
    for (const auto& [run, then] : disturbed.hashes()) {
      const auto was = before.find(run);
      if (was != before.end() && !was->second.starts_with("running")) {
        EXPECT_EQ(then, was->second) << run;
      }
    }
    if (is_over) {
      ++ended_before;
      EXPECT_EQ(disturbed.processes(), processes) << "nothing begins";
    }
    if (HasFailure()) {
      break;
    }
  }
  std::cout << died_at.size() << " of " << whole << " messages, " << ended_before << " after the end, seed " << seed_
            << '\n';
}

}  // namespace
}  // namespace troupe
