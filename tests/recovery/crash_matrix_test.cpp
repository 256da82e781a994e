// Every point at which a process can die, in every step of workflows of every shape and of their child runs: resumed, all
// of them come to the states of ones that nobody disturbed, and do nothing again that was committed. A seed chooses one step
// for each shape and point; TROUPE_MATRIX=all is all.
#include "actors/agent/launch.hpp"
#include "actors/crash_orders.hpp"
#include "tests/recovery/crash_fixture.hpp"
#include "tests/recovery/crash_shapes.hpp"

#include <algorithm>
#include <iostream>
#include <random>
#include <set>

namespace troupe {
namespace {

constexpr int resumes_max = 20;

struct crash_cell {
  const workflow_shape_case* shape;
  std::string victim;
  std::string point;
};

class crash_matrix_test : public crash_fixture {
 protected:
  void SetUp() override { write("troupe.toml", counting_agent("count")); }

  std::vector<crash_cell> cells() const {
    std::vector<crash_cell> all;
    for (const auto& shape : shapes_) {
      for (const auto& file : shape.files) {
        for (const auto& step : file.steps) {
          for (const auto& [point, name] : crash_points) {
            all.push_back({&shape, step.id, std::string{name}});
          }
        }
      }
    }
    return all;
  }

  // The first of each shape and point.
  static std::vector<crash_cell> sample_of(std::vector<crash_cell> all) {
    std::set<std::pair<const workflow_shape_case*, std::string>> known;
    std::erase_if(all, [&](const crash_cell& each) { return !known.emplace(each.shape, each.point).second; });
    return all;
  }

  // Gives the file of the run itself.
  std::string write_shape(const workflow_shape_case& shape, std::string_view victim, std::string_view point) const {
    for (const auto& file : shape.files) {
      write(file.name + ".toml", text_of(file, victim, point));
    }
    return shape.name() + ".toml";
  }

  // To the end, through gates and deaths. Gives the number of deaths, or -1 and a failure.
  int carry_through(const std::string& file, const std::string& id) {
    auto last = run({"run", file, "--run-id", id, "--json"});
    int deaths = 0;
    for (int i = 0; i < resumes_max && last.code != 0; ++i) {
      if (last.code == killed_code) {
        ++deaths;
        remember_committed(id);
      } else if (last.code == 4) {
        for (const auto& each : family_of(id)) {
          decide_gates(each, gate_choice::approved);
        }
      } else {
        ADD_FAILURE() << "exit code " << last.code << ": " << last.err;
        return -1;
      }
      last = run({"resume", id, "--json"});
    }
    EXPECT_EQ(last.code, 0) << last.err;
    hashes_.clear();
    for (const auto& each : family_of(id)) {
      hashes_.push_back(run_of(each).state_hash);
    }
    return deaths;
  }

  // Of the run and of its children. Calm runs are made when the first cell of their shape needs one.
  std::vector<std::string> calm_hashes(const workflow_shape_case& shape) {
    auto& hashes = calm_[shape.name()];
    if (hashes.empty()) {
      EXPECT_EQ(carry_through(write_shape(shape, "", ""), shape.name()), 0);
      hashes = hashes_;
    }
    return hashes;
  }

  void expect_nothing_again(const std::string& id) {
    const auto outside = effects_by_key(id);
    for (const auto& task : tasks_of(id)) {
      const auto before = committed_.find(task.task);
      const auto key = idempotency_key(task.task);
      const int lines = outside.contains(key) ? outside.at(key) : 0;
      if (before != committed_.end()) {
        EXPECT_EQ(task.attempt, before->second.first) << task.task << " was committed, and began again";
        EXPECT_EQ(lines, before->second.second) << task.task << " was committed, and did it again outside";
      }
      EXPECT_EQ(lines > 0, task.agent == agent_name{"count"}) << task.task;
    }
  }

  void expect_as_undisturbed(const crash_cell& cell) {
    const std::string id = cell.shape->name() + '-' + cell.victim + '-' + cell.point;
    SCOPED_TRACE(id);
    const auto calm = calm_hashes(*cell.shape);
    committed_.clear();
    const int died = carry_through(write_shape(*cell.shape, cell.victim, cell.point), id);
    EXPECT_GE(died, 1) << "the point was not reached";
    EXPECT_EQ(hashes_, calm);
    for (const auto& each : family_of(id)) {
      SCOPED_TRACE(each);
      expect_whole_story(each);
      expect_nothing_again(each);
    }
    deaths_ += std::max(died, 0);
  }

  const std::vector<workflow_shape_case> shapes_ = crash_shapes();
  int deaths_ = 0;

 private:
  void remember_committed(const std::string& id) {
    for (const auto& run : family_of(id)) {
      const auto outside = effects_by_key(run);
      for (const auto& task : tasks_of(run)) {
        if (is_final(task.state)) {
          const auto found = outside.find(idempotency_key(task.task));
          committed_.try_emplace(task.task, task.attempt, found == outside.end() ? 0 : found->second);
        }
      }
    }
  }

  std::vector<std::string> hashes_;
  std::map<std::string, std::vector<std::string>> calm_;
  std::map<task_id, std::pair<attempt_no, int>> committed_;  // attempt, lines outside
};

TEST_F(crash_matrix_test, comes_to_the_undisturbed_state_and_does_nothing_twice) {
  const auto seed = chosen_seed();
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
  auto all = cells();
  const auto whole = all.size();
  if (!wants_all()) {
    std::ranges::shuffle(all, std::mt19937_64{seed});
    all = sample_of(all);
  }
  for (const auto& cell : all) {
    expect_as_undisturbed(cell);
    if (HasFatalFailure()) {
      return;
    }
  }
  expect_intact();
  std::cout << all.size() << " of " << whole << " cells, " << deaths_ << " deaths, seed " << seed << '\n';
}

// 20 agents at once; when seven have answered the process is killed from outside.
TEST_F(crash_matrix_test, of_twenty_agents_seven_were_done_and_thirteen_run) {
  std::string agents;
  std::string names;
  for (int i = 1; i <= 20; ++i) {
    const auto name = "a" + std::to_string(i);
    agents += counting_agent(name, i <= 7 ? "" : "[ -e go ] || exec sleep 60;");
    names += (i == 1 ? "'" : ", '") + name + "'";
  }
  write("troupe.toml", "[runtime]\nattempts_max = 32\n" + agents);
  write("wide.toml",
        "name = 'wide'\n[limits]\nmax_concurrent = 20\n[[step]]\nid = 'ask'\nagents = [" + names +
            "]\nprompt = 'x'\n[step.consensus]\nstrategy = 'collect'\n");
  auto running = start({"run", "wide.toml", "--run-id", "r1"});
  const auto is_done = [](const task_view& task) { return task.state == task_state::completed; };
  ASSERT_TRUE(becomes_true([&] {
    return std::filesystem::exists(database_path()) && effects().size() == 20 &&
           std::ranges::count_if(tasks_of("r1"), is_done) == 7;
  }));
  running.signal(SIGKILL);
  ASSERT_EQ(running.wait().code, killed_code);
  ASSERT_EQ(effects_by_key("r1").size(), 20U);
  write("go", "");
  const auto resumed = run({"resume", "r1", "--json"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(effects().size(), 33U);
  const auto outside = effects_by_key("r1");
  EXPECT_EQ(outside.size(), 20U) << "each task under one key, in both lives";
  EXPECT_EQ(std::ranges::count_if(outside, [](const auto& each) { return each.second == 2; }), 13);
  expect_whole_story("r1");

  const auto calm = json_of(run({"run", "wide.toml", "--run-id", "calm", "--json"}).out);
  EXPECT_EQ(at(json_of(resumed.out), "/state_hash"), at(calm, "/state_hash"));
}

}  // namespace
}  // namespace troupe
