// The governor on one thread, in virtual time, beside a reader of real rows. The numbers are those of the header's
// invariants.
#include "actors/governor/governor_actor.hpp"

#include "tests/support/house.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

// A reader that answers what the test says.
struct questions {
  int count = 0;
  timestamp minute_from;  // of the last
};

database_reader::behavior_type read_nothing(database_reader::pointer,
                                            const provider_use_answer* use,
                                            questions* asked_so_far) {
  const error none{error_code::internal, "not asked for here", ""};
  return {
      [=](const run_query&) { return run_answer{none}; },
      [=](const own_runs_query&) { return own_runs_answer{none}; },
      [=](const recovery_query&) { return recovery_answer{none}; },
      [=](const events_query&) { return events_answer{none}; },
      [=](maintenance_query) { return maintenance_answer{none}; },
      [=](const provider_use_query& asked) {
        ++asked_so_far->count;
        asked_so_far->minute_from = asked.minute_from;
        EXPECT_EQ(asked.day_from, timestamp{std::chrono::floor<std::chrono::days>(asked.day_from)});
        return *use;
      },
  };
}

class governor_actor_test : public testing::Test {
 protected:
  governor_actor_test() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    reader_.set(system_->spawn(read_nothing, &use_, &asked_));
    settle();
  }

  ~governor_actor_test() override {
    for (const auto& [name, run] : runs_) {
      caf::anon_send_exit(run, caf::exit_reason::kill);
    }
    runs_.clear();
    end();
    if (reader_.get()) {
      caf::anon_send_exit(reader_.get(), caf::exit_reason::kill);
    }
    reader_.set({});
    settle();
  }

  void start(admission_rules rules = {}) {
    governor_ = spawn_governor(*system_, {reader_, clock_, std::move(rules)});
    settle();
  }

  void end() {
    caf::anon_send_exit(governor_, caf::exit_reason::kill);
    governor_ = governor{};
    settle();
  }

  static admission_rules one_at_a_time() {
    admission_rules rules;
    rules.attempts_max = 1;
    return rules;
  }

  static admission_rules limited(std::int64_t requests_per_minute) {
    provider_spec spec;
    spec.name = provider_name{"p"};
    spec.requests_per_minute = requests_per_minute;
    admission_rules rules;
    rules.providers[spec.name] = spec;
    return rules;
  }

  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void settle() { coordinator().run(); }
  void advance(milliseconds by, milliseconds step = 100ms) {
    for (; by.count() > 0; by -= step) {
      clock_->advance(step);
      coordinator().advance_time(step);
      settle();
    }
  }

  // An actor that acts for a run: what it is sent, it does.
  caf::actor run(const std::string& name) {
    auto& found = runs_[name];
    if (!found) {
      found = system_->spawn(
          [](caf::event_based_actor*, int) -> caf::behavior { return {[](const later& what) { what.act(); }}; },
          0);  // CAF 0.17 asserts that there is something to pass on
    }
    return found;
  }

  void as(const std::string& name, std::function<void(caf::event_based_actor*)> act) {
    auto* const self = caf::actor_cast<caf::event_based_actor*>(run(name));
    caf::anon_send(run(name), later{[=] { act(self); }});
    settle();
  }

  void ask(const std::string& name, const std::string& task, const std::string& provider = "") {
    ask_permit what;
    what.run = run_id{name};
    what.task = task_id{name + '/' + task};
    what.attempt = attempt_no{1};
    what.provider = provider_name{provider};
    const auto governor = governor_;
    as(name, [=, this](caf::event_based_actor* self) {
      self->request(governor, caf::infinite, what)
          .then(
              [=, this](const permit_reply& reply) {
                answers_.push_back(task + (reply ? " granted" : ' ' + std::string{to_string(reply.error().code)}));
                if (reply) {
                  permits_[task] = reply->id;
                }
              },
              [=, this](const caf::error&) { answers_.push_back(task + " in error"); });
    });
  }

  void give_back(const std::string& name, const std::string& task, permit_end how = permit_end::succeeded) {
    const auto governor = governor_;
    const return_permit what{permits_.at(task), how, std::nullopt, std::nullopt};
    as(name, [=](caf::event_based_actor* self) { self->send(governor, what); });
  }

  limits_view view() {
    limits_view seen;
    caf::scoped_actor self{*system_};
    auto asked = self->request(governor_, caf::infinite, limits_query{});
    settle();
    asked.receive([&](const limits_view& told) { seen = told; }, [](const caf::error&) { ADD_FAILURE(); });
    return seen;
  }

  using names = std::vector<std::string>;

  std::shared_ptr<virtual_clock> clock_ = std::make_shared<virtual_clock>();
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  service<database_reader> reader_;
  provider_use_answer use_ = std::vector<provider_use>{{provider_name{"p"}, 0, {}}};
  questions asked_;
  governor governor_;
  std::map<std::string, caf::actor> runs_;
  names answers_;
  std::map<std::string, permit_id> permits_;
};

TEST_F(governor_actor_test, grants_and_lets_the_next_wait) {  // 1
  start(one_at_a_time());
  EXPECT_EQ(asked_.count, 0) << "nothing is limited by minute or day: no rows are needed";
  ask("a", "1");
  ask("b", "2");
  EXPECT_EQ(answers_, names{"1 granted"});
  EXPECT_EQ(view().waiting, 1);
  give_back("a", "1");
  EXPECT_EQ(answers_, (names{"1 granted", "2 granted"}));
}

TEST_F(governor_actor_test, asked_again_it_answers_once) {  // 1
  start(one_at_a_time());
  ask("a", "1");
  ask("b", "2");
  ask("b", "2");
  give_back("a", "1");
  EXPECT_EQ(answers_, (names{"1 granted", "2 granted"}));
}

TEST_F(governor_actor_test, what_is_withdrawn_is_not_answered) {  // 1
  start(one_at_a_time());
  ask("a", "1");
  ask("b", "2");
  const auto governor = governor_;
  as("b", [=](caf::event_based_actor* self) { self->send(governor, withdraw_permit{task_id{"b/2"}, attempt_no{1}}); });
  give_back("a", "1");
  EXPECT_EQ(answers_, names{"1 granted"});
  EXPECT_EQ(view().running, 0);
}

TEST_F(governor_actor_test, whoever_waits_when_it_dies_is_told) {  // 1
  start(one_at_a_time());
  ask("a", "1");
  ask("b", "2");
  end();
  EXPECT_EQ(answers_, (names{"1 granted", "2 in error"}));
  const auto former = permits_.at("1");
  clock_->advance(1ms);
  start(one_at_a_time());
  ask("c", "3");
  EXPECT_GT(permits_.at("3"), former);
  give_back("a", "1");
  EXPECT_EQ(view().running, 1) << "a permit of its predecessor is nothing to it";
}

TEST_F(governor_actor_test, a_run_that_dies_has_returned_and_withdrawn_everything) {  // 2
  start(one_at_a_time());
  ask("a", "1");
  ask("a", "2");
  ask("b", "3");
  caf::anon_send_exit(runs_.at("a"), caf::exit_reason::kill);
  runs_.erase("a");
  settle();
  EXPECT_EQ(answers_.back(), "3 granted");
  EXPECT_EQ(view().waiting, 0);
  EXPECT_EQ(view().running, 1);
}

TEST_F(governor_actor_test, what_was_used_before_the_start_is_counted) {  // 3
  provider_use used{provider_name{"p"}, 2, {}};
  used.last_minute.push_back({clock_->now() - 30s, {}});
  used.last_minute.push_back({clock_->now() - 20s, {}});
  use_ = std::vector<provider_use>{used};
  start(limited(2));
  EXPECT_EQ(asked_.count, 1);
  EXPECT_EQ(asked_.minute_from, clock_->now() - use_window::length);
  ask("a", "1", "p");
  EXPECT_TRUE(answers_.empty());
  advance(30s);
  EXPECT_TRUE(answers_.empty());
  advance(1s);  // of use_window
  EXPECT_EQ(answers_, names{"1 granted"});
}

TEST_F(governor_actor_test, rows_that_cannot_be_read_are_asked_for_until_they_can) {  // 3
  use_ = error{error_code::storage_busy, "not now", ""};
  start(limited(2));
  ask("a", "1", "p");
  ask("a", "2", "other");
  advance(3s);
  EXPECT_EQ(answers_, names{"2 granted"});
  EXPECT_EQ(asked_.count, 4);
  use_ = std::vector<provider_use>{{provider_name{"p"}, 0, {}}};
  advance(1s);
  EXPECT_EQ(answers_.back(), "1 granted");
  advance(10s);
  EXPECT_EQ(asked_.count, 5);
}

TEST_F(governor_actor_test, a_reader_that_is_dead_is_asked_again_when_it_lives) {  // 3
  caf::anon_send_exit(reader_.get(), caf::exit_reason::kill);
  settle();
  start(limited(2));
  ask("a", "1", "p");
  advance(3s);
  EXPECT_TRUE(answers_.empty());
  reader_.set(system_->spawn(read_nothing, &use_, &asked_));
  advance(1s);
  EXPECT_EQ(asked_.count, 1);
  EXPECT_EQ(answers_, names{"1 granted"});
}

TEST_F(governor_actor_test, one_timer_while_somebody_waits_for_a_time) {  // 4
  start(limited(1));
  ask("a", "1", "p");
  coordinator().advance_time(10s);
  EXPECT_EQ(coordinator().run(), 0U);
  for (int i = 2; i < 100; ++i) {
    ask("a", std::to_string(i), "p");
  }
  clock_->advance(61s);
  coordinator().advance_time(61s);
  EXPECT_LE(coordinator().run(), 4U) << "the timer, and one that was woken";
  EXPECT_EQ(answers_.size(), 2U);
  EXPECT_EQ(view().waiting, 97);
}

TEST_F(governor_actor_test, a_provider_that_fails_is_refused_and_shown) {
  start();
  for (int i = 0; i < 10; ++i) {
    ask("a", std::to_string(i), "p");
    give_back("a", std::to_string(i), permit_end::failed);
  }
  ask("a", "x", "p");
  EXPECT_EQ(answers_.back(), "x CIRCUIT_OPEN");
  const auto shown = view();
  ASSERT_EQ(shown.providers.size(), 1U);
  EXPECT_EQ(shown.providers[0].breaker, breaker_state::open);
  EXPECT_EQ(shown.providers[0].closed_until, clock_->now() + 30s);
  EXPECT_EQ(shown.providers[0].rejected, 1);
  EXPECT_EQ(shown.providers[0].granted, 10);
}

}  // namespace
}  // namespace troupe
