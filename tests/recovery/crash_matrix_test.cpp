// Every point at which a process can die, in every step of workflows of every shape: resumed, the run comes to the state of
// one that nobody disturbed, and does nothing again that was committed. A seed chooses a part; TROUPE_MATRIX=all is all.
#include "actors/agent/launch.hpp"
#include "actors/crash_orders.hpp"
#include "tests/recovery/crash_fixture.hpp"
#include "tests/recovery/crash_shapes.hpp"

#include <algorithm>
#include <iostream>
#include <random>

namespace troupe {
namespace {

constexpr std::size_t sample = 10;
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
      for (const auto& step : shape.steps) {
        for (const auto& [point, name] : crash_points) {
          all.push_back({&shape, step.id, std::string{name}});
        }
      }
    }
    return all;
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
        decide_gates(id, gate_choice::approved);
      } else {
        ADD_FAILURE() << "exit code " << last.code << ": " << last.err;
        return -1;
      }
      last = run({"resume", id, "--json"});
    }
    EXPECT_EQ(last.code, 0) << last.err;
    hash_ = at(json_of(last.out), "/state_hash");
    return deaths;
  }

  // Calm runs are made when the first cell of their shape needs one.
  std::string calm_hash(const workflow_shape_case& shape) {
    auto& hash = calm_[shape.name];
    if (hash.empty()) {
      const auto file = write(shape.name + ".toml", text_of(shape, "", ""));
      EXPECT_EQ(carry_through(file, shape.name), 0);
      hash = hash_;
    }
    return hash;
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
    committed_.clear();
  }

  const std::vector<workflow_shape_case> shapes_ = crash_shapes();

  std::string hash_;

 private:
  void remember_committed(const std::string& id) {
    const auto outside = effects_by_key(id);
    for (const auto& task : tasks_of(id)) {
      if (is_final(task.state)) {
        const auto found = outside.find(idempotency_key(task.task));
        committed_.try_emplace(task.task, task.attempt, found == outside.end() ? 0 : found->second);
      }
    }
  }

  std::map<std::string, std::string> calm_;
  std::map<task_id, std::pair<attempt_no, int>> committed_;  // attempt, lines outside
};

TEST_F(crash_matrix_test, comes_to_the_undisturbed_state_and_does_nothing_twice) {
  const auto seed = chosen_seed();
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed));
  auto all = cells();
  const auto whole = all.size();
  if (!wants_all()) {
    std::ranges::shuffle(all, std::mt19937_64{seed});
    all.resize(sample);
  }
  int deaths = 0;
  for (const auto& [shape, victim, point] : all) {
    const std::string id = shape->name + '-' + victim + '-' + point;
    SCOPED_TRACE(id);
    const auto calm = calm_hash(*shape);
    const int died = carry_through(write("crash.toml", text_of(*shape, victim, point)), id);
    EXPECT_GE(died, 1) << "the point was not reached";
    EXPECT_EQ(hash_, calm);
    expect_whole_story(id);
    expect_nothing_again(id);
    deaths += std::max(died, 0);
    if (HasFatalFailure()) {
      return;
    }
  }
  expect_intact();
  std::cout << all.size() << " of " << whole << " cells, " << deaths << " deaths, seed " << seed << '\n';
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
