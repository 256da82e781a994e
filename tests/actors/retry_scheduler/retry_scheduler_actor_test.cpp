// The scheduler on one thread, in virtual time. The numbers are those of the header's invariants.
#include "actors/retry_scheduler/retry_scheduler_actor.hpp"

#include "tests/support/house.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {
namespace {

class retry_scheduler_actor_test : public testing::Test {
 protected:
  retry_scheduler_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    start();
  }

  ~retry_scheduler_actor_test() override { end(); }

  void start() {
    scheduler_ = spawn_retry_scheduler(*system_, {clock_});
    settle();
  }

  void end() {
    caf::anon_send_exit(scheduler_, caf::exit_reason::kill);
    scheduler_ = retry_scheduler{};
    settle();
  }

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void settle() { coordinator().run(); }

  // Both clocks.
  void advance(milliseconds by, milliseconds step = 10ms) {
    for (; by.count() > 0; by -= step) {
      clock_->advance(step);
      coordinator().advance_time(step);
      settle();
    }
  }

  // An actor that asks, and notes the answer under the key.
  void wait(const std::string& key, milliseconds pause, const std::string& run = "r") {
    const await_due question{run_id{run}, key, clock_->now() + pause};
    const auto scheduler = scheduler_;
    system_->spawn(
        [this, scheduler](caf::event_based_actor* self, const await_due& asked) {
          self->request(scheduler, caf::infinite, asked)
              .then([this, key = asked.key](came_due) { answered_.push_back(key); },
                    [this, key = asked.key](const caf::error&) { answered_.push_back(key + " in error"); });
        },
        question);
    settle();
  }

  waits_view view() {
    waits_view seen;
    caf::scoped_actor self{*system_};
    auto asked = self->request(scheduler_, caf::infinite, waits_query{});
    settle();
    asked.receive([&](const waits_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  using names = std::vector<std::string>;

  std::shared_ptr<virtual_clock> clock_ = std::make_shared<virtual_clock>();
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  retry_scheduler scheduler_;
  names answered_;
};

TEST_F(retry_scheduler_actor_test, wakes_each_in_its_time) {  // 1
  wait("late", 2s);
  wait("soon", 500ms);
  wait("now", 0s);
  wait("past", -5s);
  EXPECT_EQ(answered_, (names{"now", "past"})) << "at once";
  EXPECT_EQ(view().waiting, 2);
  const auto next = view().next;
  ASSERT_EQ(next.size(), 2U);
  EXPECT_EQ(next[0].key, "soon");
  EXPECT_EQ(next[0].due, clock_->now() + 500ms);
  EXPECT_EQ(next[1].key, "late");
  advance(490ms);
  EXPECT_EQ(answered_.size(), 2U);
  advance(10ms);
  EXPECT_EQ(answered_.back(), "soon");
  advance(1'490ms);
  EXPECT_EQ(answered_.size(), 3U);
  advance(10ms);
  EXPECT_EQ(answered_.back(), "late");
  EXPECT_TRUE(view().next.empty());
}

TEST_F(retry_scheduler_actor_test, a_clock_that_jumps_is_noticed_within_half_a_minute) {  // 1
  wait("tomorrow", 24h);
  clock_->advance(24h);  // the machine slept: timers know nothing of it
  coordinator().advance_time(30s);
  settle();
  EXPECT_EQ(answered_, names{"tomorrow"});
}

TEST_F(retry_scheduler_actor_test, whoever_comes_after_a_jump_of_the_clock_is_woken_in_his_time) {  // 1
  wait("tomorrow", 24h);
  clock_->advance(1h);  // past the time for which the timer was armed; timers know nothing of it
  wait("soon", 1s);
  advance(1s);
  EXPECT_EQ(answered_, names{"soon"});
}

TEST_F(retry_scheduler_actor_test, nobody_is_woken_before_his_time_by_a_clock_that_was_set_back) {  // 1
  wait("x", 20s);
  clock_->advance(-60s);
  coordinator().advance_time(30s);
  settle();
  EXPECT_TRUE(answered_.empty());
  advance(80s, 1s);
  EXPECT_EQ(answered_, names{"x"});
}

TEST_F(retry_scheduler_actor_test, what_is_asked_again_or_forgotten_is_not_answered) {  // 2
  wait("x", 1s);
  wait("x", 3s);
  wait("y", 1s);
  wait("z", 1s, "other");
  caf::anon_send(scheduler_, forget_due{run_id{"r"}, "y"});
  caf::anon_send(scheduler_, forget_due{run_id{"other"}, ""});
  settle();
  EXPECT_EQ(view().waiting, 1);
  advance(2s);
  EXPECT_TRUE(answered_.empty());
  advance(1s);
  EXPECT_EQ(answered_, names{"x"});
}

TEST_F(retry_scheduler_actor_test, a_question_whose_time_has_come_replaces_the_former_as_well) {  // 2
  wait("x", 10s);
  wait("x", 0s);
  EXPECT_EQ(answered_, names{"x"});
  EXPECT_EQ(view().waiting, 0);
  advance(10s);
  EXPECT_EQ(answered_, names{"x"});
}

TEST_F(retry_scheduler_actor_test, a_backoff_is_cancelled_with_the_next_message) {
  wait("x", 30s);
  caf::anon_send(scheduler_, forget_due{run_id{"r"}, "x"});
  coordinator().run_once();
  EXPECT_EQ(view().waiting, 0);
}

TEST_F(retry_scheduler_actor_test, whoever_waits_when_it_dies_is_told) {  // 3
  wait("x", 30s);
  end();
  EXPECT_EQ(answered_, names{"x in error"});
  start();
}

TEST_F(retry_scheduler_actor_test, ten_thousand_wait_on_one_timer) {  // 4
  for (int i = 0; i < 10'000; ++i) {
    wait(std::to_string(i), 10s + milliseconds{i / 100});
  }
  EXPECT_EQ(view().waiting, 10'000);
  clock_->advance(9s);
  coordinator().advance_time(9s);
  EXPECT_LE(coordinator().run(), 1U);
  EXPECT_TRUE(answered_.empty());
  advance(1'200ms);
  EXPECT_EQ(answered_.size(), 10'000U);
  coordinator().advance_time(1h);
  EXPECT_EQ(coordinator().run(), 0U) << "nobody waits: no timer";
}

}  // namespace
}  // namespace troupe
