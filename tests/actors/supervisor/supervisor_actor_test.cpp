// Supervisors with real children, on one thread and in virtual time.
#include "actors/supervisor/supervisor_actor.hpp"

#include "actors/actor_guard.hpp"
#include "messages/interfaces/any_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class supervisor_actor_test : public testing::Test {
 protected:
  supervisor_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~supervisor_actor_test() override {
    caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
    advance(60'000ms);
    root_ = supervisor{};
    living_.clear();
    inner_ = supervisor{};
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void advance(milliseconds by) {
    scheduler().run();
    for (milliseconds gone{0}; gone < by; gone += milliseconds{10}) {
      scheduler().advance_time(milliseconds{10});
      scheduler().run();
    }
  }

  // A child that tells the log of its start and of its end.
  child_spec child(const std::string& name, restart_type type = restart_type::permanent) {
    return {name, type, milliseconds{1'000}, [this, name](caf::actor_system& in) {
              if (cannot_start_ == name) {
                throw std::runtime_error{"no room"};
              }
              log_.push_back("+" + name);
              const auto started = in.spawn(
                  [](caf::event_based_actor* self, const std::string& known_as) -> caf::behavior {
                    guard(self, known_as);
                    return {[](int) {}};
                  },
                  name);
              started->attach_functor([this, name] { log_.push_back("-" + name); });
              living_[name] = started;
              return caf::actor_cast<caf::strong_actor_ptr>(started);
            }};
  }

  // One that does not hear that it should end.
  child_spec deaf(const std::string& name) {
    auto made = child(name);
    made.start = [this, name](caf::actor_system& in) {
      const auto started = in.spawn(
          [](caf::event_based_actor* self, const std::string&) -> caf::behavior {
            self->set_exit_handler([](const caf::exit_msg&) {});
            return {[](int) {}};
          },
          name);
      started->attach_functor([this, name] { log_.push_back("-" + name); });
      living_[name] = started;
      return caf::actor_cast<caf::strong_actor_ptr>(started);
    };
    return made;
  }

  void start(std::vector<child_spec> children, restart_strategy strategy = restart_strategy::one_for_one) {
    root_ = spawn_supervisor(*system_, "root", std::move(children), {3, 5'000ms}, strategy);
    root_->attach_functor([this](const caf::error& reason) { ended_ = reason_text(reason); });
    scheduler().run();
  }

  void break_actor(const std::string& name) {
    caf::anon_send(living_.at(name), provoke_bug{"boom"});
    advance(100ms);
  }

  std::vector<std::string> take_log() { return std::exchange(log_, {}); }

  ping_view ping(const caf::actor& whom) {
    ping_view seen;
    caf::scoped_actor self{*system_};
    auto asked = self->request(whom, caf::infinite, ping_query{});
    scheduler().run();
    asked.receive([&](const ping_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  supervisor root_;
  supervisor inner_;
  std::map<std::string, caf::actor> living_;
  std::vector<std::string> log_;
  std::string cannot_start_;
  std::string ended_;
};

TEST_F(supervisor_actor_test, one_for_one) {
  start({child("a"), child("b"), child("c")});
  EXPECT_THAT(take_log(), ElementsAre("+a", "+b", "+c"));
  break_actor("b");
  EXPECT_THAT(take_log(), ElementsAre("-b", "+b"));
}

TEST_F(supervisor_actor_test, one_for_all) {
  start({child("a"), child("b"), child("c")}, restart_strategy::one_for_all);
  take_log();
  break_actor("b");
  EXPECT_THAT(take_log(), ElementsAre("-b", "-c", "-a", "+a", "+b", "+c"));
}

TEST_F(supervisor_actor_test, rest_for_one) {
  start({child("a"), child("b"), child("c")}, restart_strategy::rest_for_one);
  take_log();
  break_actor("b");
  EXPECT_THAT(take_log(), ElementsAre("-b", "-c", "+b", "+c"));
}

TEST_F(supervisor_actor_test, a_stop_is_in_reverse_order) {
  start({child("a"), child("b"), child("c")});
  take_log();
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  scheduler().run();
  EXPECT_THAT(take_log(), ElementsAre("-c", "-b", "-a"));
  EXPECT_EQ(ended_, "user_shutdown");
}

TEST_F(supervisor_actor_test, a_child_that_does_not_stop_in_time_is_killed_and_the_next_has_its_turn) {
  start({child("a"), deaf("b"), child("c")}, restart_strategy::one_for_all);
  take_log();
  caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  advance(900ms);
  EXPECT_THAT(take_log(), ElementsAre("-c"));
  advance(200ms);
  EXPECT_THAT(take_log(), ElementsAre("-b", "-a"));
}

TEST_F(supervisor_actor_test, the_time_to_stop_is_that_of_one_life) {
  start({child("a"), child("b")}, restart_strategy::one_for_all);
  take_log();
  break_actor("a");
  EXPECT_THAT(take_log(), ElementsAre("-a", "-b", "+a", "+b"));
  advance(2'000ms);
  EXPECT_THAT(take_log(), testing::IsEmpty()) << "b stopped in time, and runs again";
}

TEST_F(supervisor_actor_test, a_supervisor_that_is_killed_leaves_nobody) {
  start({child("a"), deaf("b")});
  take_log();
  caf::anon_send_exit(root_, caf::exit_reason::kill);
  scheduler().run();
  EXPECT_THAT(take_log(), testing::UnorderedElementsAre("-a", "-b"));
}

TEST_F(supervisor_actor_test, a_start_that_throws_is_tried_again_until_the_intensity_is_exceeded) {
  start({child("a"), child("b")});
  take_log();
  cannot_start_ = "b";
  break_actor("b");
  EXPECT_THAT(ended_, HasSubstr("b died more than 3 times within 5s, last of: no room"));
  EXPECT_THAT(take_log(), ElementsAre("-b", "-a"));
}

TEST_F(supervisor_actor_test, a_first_start_that_throws_ends_the_supervisor) {
  cannot_start_ = "b";
  start({child("a"), child("b"), child("c")});
  EXPECT_THAT(ended_, HasSubstr("b cannot be started: no room"));
  EXPECT_THAT(take_log(), ElementsAre("+a", "-a"));
  cannot_start_ = "a";
  start({child("a")});
  EXPECT_THAT(ended_, HasSubstr("a cannot be started: no room"));
}

TEST_F(supervisor_actor_test, intensity_exceeded_climbs_the_tree) {
  const auto below = [this](caf::actor_system& in) {
    log_.push_back("+inner");
    inner_ = spawn_supervisor(in, "inner", {child("x")}, {1, 5'000ms});  // a supervisor does not keep who it starts
    return caf::actor_cast<caf::strong_actor_ptr>(inner_);
  };
  start({child("a"), {"inner", restart_type::permanent, milliseconds{1'000}, below}});
  take_log();
  break_actor("x");
  break_actor("x");
  EXPECT_THAT(take_log(), ElementsAre("-x", "+x", "-x", "+inner", "+x")) << "its own supervisor starts it anew";
  for (int i = 0; i < 6; ++i) {
    break_actor("x");
  }
  EXPECT_THAT(ended_, HasSubstr("inner died more than 3 times within 5s, last of: x died more than 1 times"));
}

TEST_F(supervisor_actor_test, tells_whom_it_has) {
  start({child("a"), child("b", restart_type::temporary)});
  break_actor("a");
  break_actor("b");
  const auto told = ping(caf::actor_cast<caf::actor>(root_));
  ASSERT_EQ(told.children.size(), 2U);
  EXPECT_EQ(told.children[0].facts.name, "a");
  EXPECT_EQ(told.children[0].facts.state, child_state::running);
  EXPECT_EQ(told.children[0].facts.restarts, 1);
  EXPECT_EQ(told.children[0].facts.last_reason, "boom");
  EXPECT_EQ(told.children[0].actor, living_.at("a").address());
  EXPECT_EQ(told.children[1].facts.state, child_state::ended);
  EXPECT_FALSE(told.children[1].actor);
}

// The ping comes first; what it finds behind it is counted.
TEST_F(supervisor_actor_test, every_guarded_actor_tells_how_much_waits_and_how_long_it_lives) {
  start({child("a")});
  advance(1'000ms);
  const auto a = living_.at("a");
  caf::scoped_actor self{*system_};
  for (int i = 0; i < 5; ++i) {
    caf::anon_send(a, i);
  }
  auto asked = self->request<caf::message_priority::high>(a, caf::infinite, ping_query{});
  scheduler().run();
  asked.receive(
      [&](const ping_view& told) {
        EXPECT_EQ(told.waiting, 5);
        EXPECT_EQ(told.age, 1'000ms);
      },
      [](const caf::error&) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace troupe
