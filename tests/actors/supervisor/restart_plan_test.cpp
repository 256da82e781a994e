#include "actors/supervisor/restart_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace troupe {
namespace {

using effect = restart_plan::effect;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class restart_plan_test : public testing::Test {
 protected:
  restart_plan made(restart_type type = restart_type::permanent,
                    restart_strategy strategy = restart_strategy::one_for_one) {
    return made({type, type, type}, strategy);
  }

  restart_plan made(const std::vector<restart_type>& types, restart_strategy strategy) {
    std::vector<restart_plan::child> children;
    for (const auto type : types) {
      children.push_back({std::string(1, static_cast<char>('a' + children.size())), type});
    }
    restart_plan plan{children, {3, 5'000ms}, strategy};
    for (const auto index : plan.due(0)) {
      plan.started(index);
    }
    static_cast<void>(plan.all_started(at(0ms)));
    return plan;
  }

  restart_plan::time at(milliseconds after) { return restart_plan::time{} + after; }

  static const restart_plan::restart* restart(const effect& does) { return std::get_if<restart_plan::restart>(&does); }
  static int stop(const effect& does) {
    const auto* const found = std::get_if<restart_plan::stop_child>(&does);
    return found == nullptr ? -1 : static_cast<int>(found->index);
  }
  static bool waits(const effect& does) { return std::holds_alternative<restart_plan::wait>(does); }
  static const restart_plan::end_self* end(const effect& does) { return std::get_if<restart_plan::end_self>(&does); }

  // Starts what is due, all of it well. Who it was.
  std::vector<std::size_t> start_due(restart_plan& plan, const effect& does, milliseconds now = 0ms) {
    const auto* const due = restart(does);
    if (due == nullptr) {
      return {};
    }
    auto those = plan.due(due->number);
    for (const auto index : those) {
      plan.started(index);
    }
    EXPECT_TRUE(waits(plan.all_started(at(now))));
    return those;
  }
};

TEST_F(restart_plan_test, one_for_one_restarts_only_the_child_that_died) {
  auto plan = made();
  const auto does = plan.ended(1, "boom", at(0ms));
  ASSERT_NE(restart(does), nullptr);
  EXPECT_EQ(restart(does)->pause, 0ms);
  EXPECT_EQ(plan.view()[0].state, child_state::running);
  EXPECT_EQ(plan.view()[1].state, child_state::restarting);
  EXPECT_EQ(plan.view()[1].last_reason, "boom");
  EXPECT_THAT(start_due(plan, does), ElementsAre(1));
  EXPECT_EQ(plan.view()[1].restarts, 1);
  EXPECT_EQ(plan.view()[0].restarts, 0);
}

TEST_F(restart_plan_test, one_for_all_stops_the_others_in_reverse_order_and_starts_all_in_order) {
  auto plan = made(restart_type::permanent, restart_strategy::one_for_all);
  auto does = plan.ended(1, "boom", at(0ms));
  EXPECT_EQ(stop(does), 2);
  does = plan.ended(2, "", at(0ms));
  EXPECT_EQ(stop(does), 0);
  does = plan.ended(0, "", at(0ms));
  EXPECT_THAT(start_due(plan, does), ElementsAre(0, 1, 2));
  EXPECT_EQ(plan.view()[0].restarts, 1);
}

TEST_F(restart_plan_test, rest_for_one_restarts_those_that_were_started_later_too) {
  auto plan = made(restart_type::permanent, restart_strategy::rest_for_one);
  auto does = plan.ended(1, "boom", at(0ms));
  EXPECT_EQ(stop(does), 2);
  does = plan.ended(2, "", at(0ms));
  EXPECT_THAT(start_due(plan, does), ElementsAre(1, 2));
  EXPECT_EQ(plan.view()[0].restarts, 0);
  EXPECT_THAT(start_due(plan, plan.ended(2, "boom", at(0ms))), ElementsAre(2));
}

TEST_F(restart_plan_test, a_child_of_the_group_that_dies_while_others_stop_is_not_stopped_again) {
  auto plan = made(restart_type::permanent, restart_strategy::one_for_all);
  EXPECT_EQ(stop(plan.ended(0, "boom", at(0ms))), 2);
  EXPECT_TRUE(waits(plan.ended(1, "boom as well", at(0ms))));
  EXPECT_THAT(start_due(plan, plan.ended(2, "", at(0ms))), ElementsAre(0, 1, 2));
}

TEST_F(restart_plan_test, the_death_of_one_outside_of_the_group_is_dealt_with_afterwards) {
  auto plan = made(restart_type::permanent, restart_strategy::rest_for_one);
  EXPECT_EQ(stop(plan.ended(1, "boom", at(0ms))), 2);
  EXPECT_TRUE(waits(plan.ended(0, "boom as well", at(0ms))));
  const auto does = plan.ended(2, "", at(0ms));
  ASSERT_NE(restart(does), nullptr);
  for (const auto index : plan.due(restart(does)->number)) {
    plan.started(index);
  }
  EXPECT_EQ(stop(plan.all_started(at(0ms))), 2) << "all behind the first";
}

TEST_F(restart_plan_test, temporary_children_are_stopped_with_their_group_and_not_started_again) {
  auto plan =
      made({restart_type::permanent, restart_type::temporary, restart_type::transient}, restart_strategy::one_for_all);
  EXPECT_TRUE(waits(plan.ended(2, "", at(0ms)))) << "a transient one that ended well";
  EXPECT_EQ(stop(plan.ended(0, "boom", at(0ms))), 1);
  EXPECT_THAT(start_due(plan, plan.ended(1, "", at(0ms))), ElementsAre(0, 2)) << "as OTP does";
  EXPECT_EQ(plan.view()[1].state, child_state::ended);
}

TEST_F(restart_plan_test, restarts_by_type) {
  for (const auto& [type, after_normal, after_abnormal] : {std::tuple{restart_type::permanent, true, true},
                                                           std::tuple{restart_type::transient, false, true},
                                                           std::tuple{restart_type::temporary, false, false}}) {
    auto first = made(type);
    EXPECT_EQ(restart(first.ended(0, "", at(0ms))) != nullptr, after_normal);
    auto second = made(type);
    EXPECT_EQ(restart(second.ended(0, "boom", at(0ms))) != nullptr, after_abnormal);
  }
}

TEST_F(restart_plan_test, pauses_longer_with_each_restart_in_the_window) {
  auto plan = made();
  const std::vector<milliseconds> pauses{0ms, 10ms, 20ms};
  for (const auto pause : pauses) {
    const auto does = plan.ended(0, "boom", at(0ms));
    ASSERT_NE(restart(does), nullptr);
    EXPECT_EQ(restart(does)->pause, pause);
    start_due(plan, does);
  }
}

TEST_F(restart_plan_test, gives_up_at_the_restart_beyond_the_intensity_and_stops_in_reverse_order) {
  auto plan = made();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(start_due(plan, plan.ended(1, "boom", at(i * 1'000ms))), ElementsAre(1));
  }
  auto does = plan.ended(1, "boom", at(3'000ms));
  EXPECT_EQ(stop(does), 2);
  does = plan.ended(2, "", at(3'000ms));
  EXPECT_EQ(stop(does), 0);
  does = plan.ended(0, "", at(3'000ms));
  ASSERT_NE(end(does), nullptr);
  EXPECT_THAT(end(does)->why, HasSubstr("b died more than 3 times within 5s"));
}

TEST_F(restart_plan_test, pauses_grow_with_the_restarts_within_the_window_up_to_a_second_and_a_bit) {
  restart_plan plan{{{"a", restart_type::permanent}}, {20, 5'000ms}, restart_strategy::one_for_one};
  plan.started(0);
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 11; ++i) {
    const auto does = plan.ended(0, "boom", at(0ms));
    ASSERT_NE(restart(does), nullptr);
    pauses.push_back(restart(does)->pause.count());
    start_due(plan, does);
  }
  EXPECT_THAT(pauses, ElementsAre(0, 10, 20, 40, 80, 160, 320, 640, 1'280, 1'280, 1'280));
}

TEST_F(restart_plan_test, restarts_at_both_ends_of_the_window_are_within_it) {
  for (const auto last : {5'000ms, 5'001ms}) {
    auto plan = made();
    for (const auto when : {0ms, 1'000ms, 2'000ms}) {
      start_due(plan, plan.ended(0, "boom", at(when)), when);
    }
    EXPECT_EQ(restart(plan.ended(0, "boom", at(last))) != nullptr, last > 5'000ms) << "3 in 5 s, and one more";
  }
}

TEST_F(restart_plan_test, forgets_restarts_that_left_the_window) {
  auto plan = made();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(start_due(plan, plan.ended(0, "boom", at(i * 2'000ms)), i * 2'000ms), ElementsAre(0)) << i;
  }
  EXPECT_EQ(plan.view()[0].restarts, 20);
}

TEST_F(restart_plan_test, a_start_that_fails_is_a_death) {
  auto plan = made(restart_type::permanent, restart_strategy::one_for_all);
  EXPECT_EQ(stop(plan.ended(1, "boom", at(0ms))), 2);
  EXPECT_EQ(stop(plan.ended(2, "", at(0ms))), 0);
  auto does = plan.ended(0, "", at(0ms));
  ASSERT_NE(restart(does), nullptr);
  EXPECT_THAT(plan.due(restart(does)->number), ElementsAre(0, 1, 2));
  plan.started(0);
  EXPECT_EQ(stop(plan.start_failed(1, "no room", at(0ms))), 0) << "what had been started is stopped again";
  does = plan.ended(0, "", at(0ms));
  EXPECT_THAT(start_due(plan, does), ElementsAre(0, 1, 2));
  EXPECT_EQ(plan.view()[1].last_reason, "no room");
}

TEST_F(restart_plan_test, starts_that_always_fail_exceed_the_intensity) {
  restart_plan plan{{{"a", restart_type::permanent}}, {3, 5'000ms}, restart_strategy::one_for_one};
  plan.started(0);
  auto does = plan.ended(0, "boom", at(0ms));
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(restart(does), nullptr) << i;
    EXPECT_THAT(plan.due(restart(does)->number), ElementsAre(0));
    does = plan.start_failed(0, "no room", at(0ms));
  }
  ASSERT_NE(end(does), nullptr);
  EXPECT_THAT(end(does)->why, HasSubstr("no room"));
}

TEST_F(restart_plan_test, a_first_start_that_fails_is_the_end) {
  restart_plan plan{
      {{"a", restart_type::permanent}, {"b", restart_type::permanent}}, {3, 5'000ms}, restart_strategy::one_for_one};
  EXPECT_THAT(plan.due(0), ElementsAre(0, 1));
  plan.started(0);
  EXPECT_EQ(stop(plan.start_failed(1, "no room", at(0ms))), 0);
  const auto does = plan.ended(0, "", at(0ms));
  ASSERT_NE(end(does), nullptr);
  EXPECT_EQ(end(does)->why, "b cannot be started: no room");
}

TEST_F(restart_plan_test, stops_the_last_started_first_and_ends_as_asked) {
  auto plan = made();
  auto does = plan.stop();
  for (const std::size_t index : {2U, 1U, 0U}) {
    EXPECT_EQ(stop(does), static_cast<int>(index));
    EXPECT_EQ(plan.view()[index].state, child_state::stopping);
    does = plan.ended(index, "", at(0ms));
  }
  ASSERT_NE(end(does), nullptr);
  EXPECT_EQ(end(does)->why, "");
}

TEST_F(restart_plan_test, a_child_that_dies_while_stopping_is_not_restarted) {
  auto plan = made();
  EXPECT_EQ(stop(plan.stop()), 2);
  EXPECT_TRUE(waits(plan.ended(0, "boom", at(0ms))));
  EXPECT_EQ(stop(plan.ended(2, "", at(0ms))), 1);
  EXPECT_NE(end(plan.ended(1, "", at(0ms))), nullptr);
}

TEST_F(restart_plan_test, a_stop_forgets_a_restart_that_has_not_come_due) {
  auto plan = made();
  const auto does = plan.ended(1, "boom", at(0ms));
  ASSERT_NE(restart(does), nullptr);
  EXPECT_EQ(stop(plan.stop()), 2);
  EXPECT_THAT(plan.due(restart(does)->number), IsEmpty());
  EXPECT_EQ(plan.view()[1].state, child_state::ended);
}

TEST_F(restart_plan_test, a_stop_takes_the_place_of_a_restart_of_a_group) {
  auto plan = made(restart_type::permanent, restart_strategy::one_for_all);
  EXPECT_EQ(stop(plan.ended(1, "boom", at(0ms))), 2);
  EXPECT_TRUE(waits(plan.stop())) << "the same child was asked already";
  EXPECT_EQ(stop(plan.ended(2, "", at(0ms))), 0);
  ASSERT_NE(end(plan.ended(0, "", at(0ms))), nullptr);
}

}  // namespace
}  // namespace troupe
