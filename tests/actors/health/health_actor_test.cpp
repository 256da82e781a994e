// Who answers and who does not, in virtual time.
#include "actors/health/health_actor.hpp"

#include "actors/actor_guard.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/skip.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <memory>

namespace troupe {
namespace {

class fixed_clock final : public clock_port {
 public:
  timestamp now() const override { return timestamp{std::chrono::seconds{1'800'000'000}}; }
};

// Takes everything and answers nothing. (CAF 0.17 asserts that there is an argument to pass on.)
caf::behavior mute(caf::event_based_actor* self, int) {
  self->set_default_handler(caf::skip);
  return {[](int) {}};
}

caf::behavior lively(caf::event_based_actor* self, int) {
  guard(self, "lively");
  return {[](int) {}};
}

vacuum_actor::behavior_type overdue_vacuum(vacuum_actor::pointer self, int) {
  guard(self, "vacuum");
  return {[](vacuum_now) -> vacuum_now_answer { return error{}; },
          [](vacuum_query) {
            vacuum_view view;
            view.healthy = false;
            view.history.last_success = timestamp{std::chrono::seconds{1}};
            return view;
          },
          [](const later&) {}};
}

class health_actor_test : public testing::Test {
 protected:
  health_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~health_actor_test() override {
    caf::anon_send_exit(health_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(one_, caf::exit_reason::kill);
    caf::anon_send_exit(vacuum_, caf::exit_reason::kill);
    settle();
    health_ = health_actor{};
    one_ = caf::actor{};
    vacuum_ = vacuum_actor{};
    of_vacuum_.set({});
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void settle() { scheduler().run(); }
  void advance(milliseconds by) {
    for (milliseconds gone{0}; gone < by; gone += milliseconds{50}) {
      scheduler().advance_time(milliseconds{50});
      settle();
    }
  }

  void start() {
    health_deps deps;
    deps.actors = {{"one", [this] { return one_; }}};
    deps.vacuum = of_vacuum_;
    deps.clock = std::make_shared<fixed_clock>();
    health_ = spawn_health(*system_, deps);
    settle();
  }

  health_view view() {
    health_view seen;
    caf::scoped_actor self{*system_};
    auto asked = self->request(health_, caf::infinite, health_query{});
    settle();
    asked.receive([&](const health_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor one_;
  vacuum_actor vacuum_;
  service<vacuum_actor> of_vacuum_;
  health_actor health_;
};

TEST_F(health_actor_test, knows_who_answers) {
  one_ = system_->spawn(lively, 0);
  start();
  const auto seen = view();
  EXPECT_TRUE(seen.healthy());
  EXPECT_TRUE(seen.looked_at);
  ASSERT_EQ(seen.actors.size(), 1U);
  EXPECT_EQ(seen.actors[0].name, "one");
  EXPECT_TRUE(seen.actors[0].last_answer);
  EXPECT_TRUE(seen.jobs.empty());
}

TEST_F(health_actor_test, who_does_not_answer_within_the_limit_is_not_well_until_it_does) {
  one_ = system_->spawn(mute, 0);
  start();
  advance(4'900ms);
  EXPECT_TRUE(view().healthy());
  advance(200ms);
  EXPECT_FALSE(view().healthy());
  const auto silent = one_;
  one_ = system_->spawn(lively, 0);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
  advance(10'000ms);
  EXPECT_TRUE(view().healthy()) << "by the next round";
}

TEST_F(health_actor_test, one_that_is_being_restarted_has_time_until_the_limit) {
  start();
  advance(3'000ms);
  EXPECT_TRUE(view().healthy());
  one_ = system_->spawn(lively, 0);
  advance(200ms);
  EXPECT_TRUE(view().actors[0].last_answer) << "asked again";
}

TEST_F(health_actor_test, one_that_is_never_there_is_not_well) {
  start();
  advance(5'200ms);
  EXPECT_FALSE(view().healthy());
}

TEST_F(health_actor_test, a_job_without_success_for_two_periods_is_not_well) {
  one_ = system_->spawn(lively, 0);
  vacuum_ = system_->spawn(overdue_vacuum, 0);
  of_vacuum_.set(vacuum_);
  start();
  const auto seen = view();
  EXPECT_FALSE(seen.healthy());
  ASSERT_EQ(seen.jobs.size(), 1U);
  EXPECT_EQ(seen.jobs[0].last_success, timestamp{std::chrono::seconds{1}});
}

}  // namespace
}  // namespace troupe
