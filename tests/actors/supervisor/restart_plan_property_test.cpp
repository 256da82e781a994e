// Random lives of supervised children, against a model of OTP's rules that knows neither messages nor waiting.
#include "actors/supervisor/restart_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

// stdlib's supervisor.erl, restart/2 and terminate_children/2, as one call.
class otp_model {
 public:
  otp_model(std::vector<restart_type> of, restart_strategy by, restart_intensity at_most)
      : types(std::move(of)), strategy(by), intensity(at_most), alive(types.size(), true), failures(types.size(), 0) {}

  bool restarts(std::size_t child, bool abnormal) const {
    return types[child] == restart_type::permanent || (types[child] == restart_type::transient && abnormal);
  }

  void die(std::size_t child, bool abnormal, std::int64_t now) {
    alive[child] = false;
    if (gave_up || !restarts(child, abnormal)) {
      return;
    }
    for (;;) {
      std::erase_if(restarts_, [&](std::int64_t at) { return now - at > intensity.window.count(); });
      restarts_.push_back(now);
      if (restarts_.size() > static_cast<std::size_t>(intensity.count)) {
        gave_up = true;
        alive.assign(alive.size(), false);
        return;
      }
      if (const auto failed = start_group(child); failed < types.size()) {
        child = failed;
      } else {
        return;
      }
    }
  }

  std::vector<restart_type> types;
  restart_strategy strategy;
  restart_intensity intensity;
  std::vector<bool> alive;
  std::vector<int> failures;  // of the next starts of each
  std::vector<std::size_t> starts;
  bool gave_up = false;

 private:
  // The child that could not be started, or one past the last.
  std::size_t start_group(std::size_t child) {
    const auto first = strategy == restart_strategy::one_for_all ? 0 : child;
    const auto last = strategy == restart_strategy::one_for_one ? child + 1 : types.size();
    for (auto each = first; each < last; ++each) {
      alive[each] = false;
    }
    for (auto each = first; each < last; ++each) {
      if (types[each] == restart_type::temporary) {
        continue;
      }
      if (failures[each] > 0) {
        --failures[each];
        return each;
      }
      alive[each] = true;
      starts.push_back(each);
    }
    return types.size();
  }

  std::deque<std::int64_t> restarts_;
};

// Carries out what the plan asks for, and lets children die in the middle of it.
class driver {
 public:
  driver(std::uint64_t seed, const otp_model& model)
      : chance_(seed),
        model_(model),
        plan_(children_of(model), model.intensity, model.strategy),
        alive_(model.types.size(), true) {
    for (const auto index : plan_.due(0)) {
      plan_.started(index);
    }
    static_cast<void>(plan_.all_started(time()));
  }

  bool over() const { return ended_; }

  // One death with all that follows of it.
  void step() {
    now_ += pick(500);
    for (auto& each : model_.failures) {
      each = pick(8) == 0 ? 1 + pick(2) : 0;
    }
    failures_ = model_.failures;
    const auto living = living_children(0);
    if (living.empty()) {
      ended_ = true;
      return;
    }
    die(living[static_cast<std::size_t>(pick(static_cast<int>(living.size())))]);
    // Who died before a restart of its group has been restarted with it: OTP takes its exit signal while it stops the group.
    auto covered = model_.types.size();
    for (const auto& [child, abnormal] : later_) {
      if (child < covered) {
        model_.die(child, abnormal, now_);
        covered = model_.restarts(child, abnormal) ? child : covered;
      }
    }
    later_.clear();
    waiting_.clear();
    compare();
  }

 private:
  static std::vector<restart_plan::child> children_of(const otp_model& model) {
    std::vector<restart_plan::child> all;
    for (const auto type : model.types) {
      all.push_back({std::to_string(all.size()), type});
    }
    return all;
  }

  int pick(int below) { return static_cast<int>(chance_() % static_cast<std::uint64_t>(below)); }
  restart_plan::time time() const { return restart_plan::time{} + milliseconds{now_}; }

  std::vector<std::size_t> living_children(std::size_t from) const {
    std::vector<std::size_t> all;
    for (auto each = from; each < alive_.size(); ++each) {
      if (alive_[each]) {
        all.push_back(each);
      }
    }
    return all;
  }

  void die(std::size_t child) {
    const bool abnormal = pick(2) == 0;
    alive_[child] = false;
    model_.die(child, abnormal, now_);
    group_ = model_.strategy == restart_strategy::rest_for_one ? child : 0;
    carry_out(plan_.ended(child, abnormal ? "boom" : "", time()));
  }

  void carry_out(const restart_plan::effect& does) {
    if (const auto* const due = std::get_if<restart_plan::restart>(&does)) {
      start(plan_.due(due->number));
    } else if (const auto* const stop = std::get_if<restart_plan::stop_child>(&does)) {
      end(stop->index);
    } else if (std::holds_alternative<restart_plan::end_self>(does)) {
      EXPECT_TRUE(living_children(0).empty());
      ended_ = true;
    }
  }

  void start(const std::vector<std::size_t>& those) {
    for (const auto index : those) {
      EXPECT_FALSE(alive_[index]) << "started twice";
      if (failures_[index] > 0) {
        --failures_[index];
        group_ = index;
        carry_out(plan_.start_failed(index, "no room", time()));
        return;
      }
      alive_[index] = true;
      starts_.push_back(index);
      plan_.started(index);
    }
    begin_next_group();
    carry_out(plan_.all_started(time()));
  }

  // Of those that died outside of the group that has just been restarted.
  void begin_next_group() {
    while (!waiting_.empty()) {
      const auto [child, abnormal] = waiting_.front();
      waiting_.pop_front();
      if (model_.restarts(child, abnormal)) {
        group_ = child;
        std::erase_if(waiting_, [&](const auto& each) { return each.first >= group_; });
        return;
      }
    }
  }

  // It ends as it was asked; before that others may die by themselves.
  void end(std::size_t asked) {
    ASSERT_TRUE(alive_[asked]);
    EXPECT_EQ(living_children(asked).size(), 1U) << "the last started is stopped first";
    while (pick(3) == 0) {
      const auto living = living_children(0);
      const auto other = living[static_cast<std::size_t>(pick(static_cast<int>(living.size())))];
      if (other == asked) {
        break;
      }
      const bool abnormal = pick(2) == 0;
      alive_[other] = false;
      if (model_.strategy == restart_strategy::rest_for_one && other < group_ && !model_.gave_up) {
        later_.emplace_back(other, abnormal);
        waiting_.emplace_back(other, abnormal);
      }
      EXPECT_TRUE(std::holds_alternative<restart_plan::wait>(plan_.ended(other, abnormal ? "boom" : "", time())));
    }
    alive_[asked] = false;
    carry_out(plan_.ended(asked, pick(2) == 0 ? "late" : "", time()));
  }

  void compare() const {
    EXPECT_EQ(alive_, model_.alive);
    EXPECT_EQ(starts_, model_.starts);
    EXPECT_EQ(ended_, model_.gave_up);
    const auto view = plan_.view();
    for (std::size_t i = 0; i < view.size(); ++i) {
      EXPECT_EQ(view[i].state, alive_[i] ? child_state::running : child_state::ended) << i;
    }
  }

  std::mt19937_64 chance_;
  otp_model model_;
  restart_plan plan_;
  std::vector<bool> alive_;
  std::vector<int> failures_;
  std::vector<std::size_t> starts_;
  std::vector<std::pair<std::size_t, bool>> later_;
  std::deque<std::pair<std::size_t, bool>> waiting_;  // those of later_ that the plan has not dealt with
  std::size_t group_ = 0;
  std::int64_t now_ = 0;
  bool ended_ = false;
};

std::uint64_t given_seed() {
  const char* const text = std::getenv("TROUPE_SEED");
  return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

TEST(restart_plan_property, does_what_otp_does) {
  constexpr int lives = 4'000;
  const auto first = given_seed();
  std::cout << "TROUPE_SEED=" << first << '\n';
  for (std::uint64_t seed = first; seed < first + lives && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 chance{seed};
    std::vector<restart_type> types(1 + chance() % 6);
    for (auto& type : types) {
      type = static_cast<restart_type>(chance() % 3);
    }
    const auto strategy = static_cast<restart_strategy>(chance() % 3);
    const restart_intensity intensity{static_cast<int>(chance() % 10), 1'000ms};
    driver life{chance(), otp_model{types, strategy, intensity}};
    for (int steps = 0; steps < 40 && !life.over() && !::testing::Test::HasFailure(); ++steps) {
      life.step();
    }
  }
}

}  // namespace
}  // namespace troupe
