// Runs of the real program that die where they are told to, and go on: what they did outside, and what their rows say.
#pragma once

#include "messages/event.hpp"
#include "messages/writes.hpp"
#include "storage/lease.hpp"
#include "storage/write_session.hpp"
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/sampling.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace troupe {

inline constexpr int killed_code = 128 + SIGKILL;

class crash_fixture : public cli_fixture {
 protected:
  // The database in memory: what a death of the process leaves there is the same, and a sync costs nothing.
  crash_fixture() {
    std::filesystem::create_directories(path("state"));
    std::filesystem::create_directory_symlink(memory_.path(), path("state/troupe"));
  }

  /// What agents of counting_agent() have written, by the run, the step and the agent that did it.
  struct effect {
    std::string run;
    std::string step;
    std::string agent;
    std::string key;
    std::string attempt;
  };

  /// [agents.NAME]: appends a line to a file, in one write, then does `then` and prints a word.
  static std::string counting_agent(const std::string& name,
                                    const std::string& then = "",
                                    const std::string& more = "") {
    const std::string script = "echo \"$TROUPE_RUN_ID $TROUPE_STEP_ID " + name +
                               " $TROUPE_IDEMPOTENCY_KEY $TROUPE_ATTEMPT\" >> effects.txt; " + then + " echo done";
    return "[agents." + name + "]\ncommand = ['/bin/sh', '-c', '" + script + "']\n" + more;
  }

  std::vector<effect> effects() const {
    std::istringstream lines{file_text(path("effects.txt"))};
    std::vector<effect> all;
    for (effect each; lines >> each.run >> each.step >> each.agent >> each.key >> each.attempt;) {
      all.push_back(each);
    }
    return all;
  }

  std::map<std::string, int> effects_by_key(const std::string& run) const {
    std::map<std::string, int> counted;
    for (const auto& each : effects()) {
      counted[each.key] += each.run == run ? 1 : 0;
    }
    std::erase_if(counted, [](const auto& each) { return each.second == 0; });
    return counted;
  }

  void expect_intact() const {
    const auto checked = run({"db", "check"});
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  }

  event_batch events_of(const std::string& id) const {
    constexpr std::int64_t all = 1'000'000;
    auto found = stored()->list_events(run_id{id}, event_seq{0}, all);
    EXPECT_TRUE(found.has_value());
    return found ? *std::move(found) : event_batch{};
  }

  /// Every number once, without gaps, and one final event for each task.
  void expect_whole_story(const std::string& id) const {
    std::map<task_id, int> ended;
    std::int64_t last = 0;
    for (const auto& each : events_of(id)) {
      EXPECT_EQ(each.seq.value(), ++last);
      if (each.kind == event_kind::task_completed || each.kind == event_kind::task_failed ||
          each.kind == event_kind::task_cancelled) {
        EXPECT_EQ(++ended[*each.task], 1) << *each.task << ' ' << to_string(each.kind);
      }
    }
    EXPECT_EQ(ended.size(), tasks_of(id).size());
  }

  /// How often an event of this kind tells of this step.
  int count_events(const std::string& id, event_kind kind, const std::string& step) const {
    int count = 0;
    for (const auto& each : events_of(id)) {
      count += each.kind == kind && each.step == step_id{step} ? 1 : 0;
    }
    return count;
  }

  /// The run, and the child runs of all levels below it: each before its own, in the order of the maps and their elements.
  std::vector<std::string> family_of(const std::string& id) const {
    std::vector<std::string> all{id};
    std::map<task_id, std::string> by_task;
    for (const auto& child : child_runs_of(id)) {
      by_task[*child.parent_task] = child.run.str();
    }
    for (const auto& task : tasks_of(id)) {
      if (const auto child = by_task.find(task.task); child != by_task.end()) {
        std::ranges::copy(family_of(child->second), std::back_inserter(all));
      }
    }
    return all;
  }

  std::vector<gate_view> open_gates(const std::string& id) const {
    auto found = stored()->load_recovery(run_id{id});
    EXPECT_TRUE(found.has_value());
    auto gates = found ? std::move(found->gates) : std::vector<gate_view>{};
    std::erase_if(gates, [](const gate_view& each) { return each.state != gate_state::open; });
    return gates;
  }

  /// As a person would, while nobody carries the run out: each gate that is open.
  void decide_gates(const std::string& id, gate_choice choice) const {
    storage_options options;
    options.path = database_path();
    const timestamp now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto held = lease::acquire(options, {::getpid(), "test", now});
    ASSERT_TRUE(held) << held.error().message;
    const auto session = write_session::open(options, held->epoch());
    ASSERT_TRUE(session) << session.error().message;
    for (const auto& gate : open_gates(id)) {
      gate_decision decision;
      decision.by = "tester";
      decision.choice = choice;
      decision.at = now;
      ASSERT_TRUE((*session)->begin());
      const auto applied = (*session)->apply(decide_gate{run_id{id}, gate.asked.place, decision});
      ASSERT_TRUE(applied) << applied.error().message;
      ASSERT_TRUE((*session)->commit());
    }
  }

 private:
  temporary_folder memory_{fast_folder()};
};

}  // namespace troupe
