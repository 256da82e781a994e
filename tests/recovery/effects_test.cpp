// What agents that were cut off leave outside, by the effects that they and their steps declare: those without effects and
// idempotent ones are tried again under the key that they had, of external ones a person is asked. 200 kills at instants
// that a seed chooses; TROUPE_MATRIX=all: 1,000.
#include "actors/agent/launch.hpp"
#include "tests/recovery/crash_fixture.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

namespace troupe {
namespace {

int kills_wanted() { return wants_all() ? 500 : 100; }  // of each of the two kinds

class effects_test : public crash_fixture {
 protected:
  // Three agents that declare these effects, and a step of all three for each of `steps`, which are further keys of it.
  void prepare(const std::array<std::string, 3>& effects, const std::vector<std::string>& steps) {
    const std::array<std::string, 3> names{"a", "b", "c"};
    std::string agents;
    for (std::size_t i = 0; i < names.size(); ++i) {
      agents += counting_agent(names.at(i), "sleep 0.01;", "effects = '" + effects.at(i) + "'\n");
    }
    write("troupe.toml", agents);
    std::string text = "name = 'work'\n";
    for (std::size_t i = 1; i <= steps.size(); ++i) {
      text += "[[step]]\nid = 's" + std::to_string(i) + "'\nagents = ['a', 'b', 'c']\nprompt = 'x'\n" + steps[i - 1] +
              (i < steps.size() ? "next = 's" + std::to_string(i + 1) + "'\n" : "") +
              "[step.consensus]\nstrategy = 'collect'\nquorum = 1\n";
    }
    write("work.toml", text);
  }

  std::ptrdiff_t lines_of(const std::string& id) const {
    const auto all = effects();
    return std::ranges::count(all, id, &effect::run);
  }

  // Waits until some agent has begun, so that every kill is one in the middle of work, and a little longer.
  bool kill_at_work(const std::string& id) {
    const auto before = lines_of(id);
    auto running = start({"run", "work.toml", "--run-id", id, "--json"});
    const auto is_over = [&] { return state_of(running.pid()).first == 'Z'; };
    static_cast<void>(becomes_true([&] { return lines_of(id) > before || is_over(); }));
    std::this_thread::sleep_for(std::chrono::microseconds{random_() % 40'000});  // the instant is the point
    running.signal(SIGKILL);
    const auto ended = running.wait();
    EXPECT_TRUE(ended.code == killed_code || ended.code == 0) << ended.code << ended.err;
    return ended.code == killed_code;
  }

  const std::uint64_t seed_ = chosen_seed();
  std::mt19937_64 random_{seed_};
};

TEST_F(effects_test, idempotent_ones_are_done_once_for_who_looks_at_the_key) {
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed_));
  // The step's word counts before its agents', and on_crash before both; of the fourth nobody says anything else.
  prepare({"none", "idempotent", "idempotent"},
          {"", "effects = 'idempotent'\n", "effects = 'external'\non_crash = 'retry'\n", ""});
  int kills = 0;
  int run_number = 0;
  while (kills < kills_wanted()) {
    const auto id = "r" + std::to_string(++run_number);
    for (int i = 0; i < 10 && kills < kills_wanted() && kill_at_work(id); ++i) {
      ++kills;
    }
    const auto done = run({"run", "work.toml", "--run-id", id, "--json"});
    ASSERT_EQ(done.code, 0) << done.err;
    expect_whole_story(id);
  }
  std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> keys;
  std::set<std::string> different;
  for (const auto& each : effects()) {
    keys[{each.run, each.step, each.agent}].insert(each.key);
    different.insert(each.key);
  }
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(run_number) * 12);
  for (const auto& [who, its_keys] : keys) {
    EXPECT_EQ(its_keys.size(), 1U) << std::get<0>(who) << ' ' << std::get<1>(who) << ' ' << std::get<2>(who);
  }
  EXPECT_EQ(different.size(), keys.size()) << "no key stands for two things";
  const auto again = effects().size() - keys.size();
  EXPECT_GT(again, 0U) << "nothing was cut off: the test shows nothing";
  std::cout << kills << " kills in " << run_number << " runs, " << keys.size() << " effects, " << again
            << " asked for again under their key, seed " << seed_ << '\n';
}

TEST_F(effects_test, of_external_ones_a_person_is_asked) {
  SCOPED_TRACE("TROUPE_SEED=" + std::to_string(seed_));
  // One of three is external by itself, so that its step is; or the step says so of agents that are not.
  const bool by_agent = random_() % 2 == 0;
  prepare({by_agent ? "external" : "none", "none", "idempotent"}, {by_agent ? "" : "effects = 'external'\n"});
  int kills = 0;
  std::size_t asked = 0;
  for (int number = 1; kills < kills_wanted(); ++number) {
    const auto id = "r" + std::to_string(number);
    SCOPED_TRACE(id);
    if (!kill_at_work(id)) {
      continue;
    }
    ++kills;
    std::set<task_id> cut_off;
    for (const auto& task : tasks_of(id)) {
      if (task.state == task_state::running || task.state == task_state::validating) {
        cut_off.insert(task.task);
      }
    }
    const auto resumed = run({"resume", id, "--json"});
    EXPECT_EQ(resumed.code, cut_off.empty() ? 0 : 4) << resumed.err;
    std::set<task_id> gates;
    for (const auto& gate : cut_off.empty() ? std::vector<gate_view>{} : open_gates(id)) {
      EXPECT_EQ(gate.asked.kind, gate_kind::crash);
      gates.insert(gate.asked.place.task.value_or(task_id{}));
    }
    EXPECT_EQ(gates, cut_off);
    asked += gates.size();
    for (const auto& [key, times] : effects_by_key(id)) {
      EXPECT_EQ(times, 1) << "nobody has allowed it";
    }
  }
  EXPECT_GT(asked, 0U) << "nothing was cut off: the test shows nothing";
  std::cout << kills << " kills, " << asked << " tasks asked about, none done again, seed " << seed_ << '\n';
}

TEST_F(effects_test, what_was_asked_about_is_done_again_when_that_is_approved_and_fails_when_not) {
  for (const auto choice : {gate_choice::approved, gate_choice::rejected}) {
    const std::string id{to_string(choice)};
    SCOPED_TRACE(id);
    write("troupe.toml", counting_agent("a", "[ -e go ] || exec sleep 60;", "effects = 'external'\n"));
    write("one.toml", "name = 'one'\n[[step]]\nid = 'ask'\nagent = 'a'\nprompt = 'x'\n");
    std::filesystem::remove(path("go"));
    auto running = start({"run", "one.toml", "--run-id", id});
    ASSERT_TRUE(becomes_true([&] { return effects_by_key(id).size() == 1; }));
    running.signal(SIGKILL);
    ASSERT_EQ(running.wait().code, killed_code);
    write("go", "");
    ASSERT_EQ(run({"resume", id}).code, 4);
    decide_gates(id, choice);
    EXPECT_EQ(run({"resume", id}).code, choice == gate_choice::approved ? 0 : 1);
    const auto outside = effects_by_key(id);
    ASSERT_EQ(outside.size(), 1U) << "under one key";
    EXPECT_EQ(outside.begin()->second, choice == gate_choice::approved ? 2 : 1);
    expect_whole_story(id);
  }
}

}  // namespace
}  // namespace troupe
