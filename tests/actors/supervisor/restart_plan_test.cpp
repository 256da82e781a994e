#include "actors/supervisor/restart_plan.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using effect = restart_plan::effect;

class restart_plan_test : public testing::Test {
 protected:
  restart_plan made(restart_type type = restart_type::permanent) {
    restart_plan plan{{{"a", type}, {"b", type}, {"c", type}}, {3, 5'000ms}};
    for (std::size_t i = 0; i < 3; ++i) {
      plan.started(i);
    }
    return plan;
  }

  restart_plan::time at(milliseconds after) { return restart_plan::time{} + after; }

  static const restart_plan::start_child* start(const effect& does) {
    return std::get_if<restart_plan::start_child>(&does);
  }
  static const restart_plan::stop_child* stop(const effect& does) {
    return std::get_if<restart_plan::stop_child>(&does);
  }
  static const restart_plan::end_self* end(const effect& does) { return std::get_if<restart_plan::end_self>(&does); }
};

TEST_F(restart_plan_test, restarts_only_the_child_that_died) {
  auto plan = made();
  const auto does = plan.ended(1, "boom", at(0ms));
  ASSERT_NE(start(does), nullptr);
  EXPECT_EQ(start(does)->index, 1U);
  EXPECT_EQ(start(does)->pause, 0ms);
  EXPECT_TRUE(plan.view().children[0].alive);
  EXPECT_FALSE(plan.view().children[1].alive);
  EXPECT_EQ(plan.view().children[1].last_reason, "boom");
}

TEST_F(restart_plan_test, restarts_by_type) {
  for (const auto& [type, after_normal, after_abnormal] : {std::tuple{restart_type::permanent, true, true},
                                                           std::tuple{restart_type::transient, false, true},
                                                           std::tuple{restart_type::temporary, false, false}}) {
    auto first = made(type);
    EXPECT_EQ(start(first.ended(0, "", at(0ms))) != nullptr, after_normal);
    auto second = made(type);
    EXPECT_EQ(start(second.ended(0, "boom", at(0ms))) != nullptr, after_abnormal);
  }
}

TEST_F(restart_plan_test, pauses_longer_with_each_restart_in_the_window) {
  auto plan = made();
  const std::vector<milliseconds> pauses{0ms, 10ms, 20ms};
  for (const auto pause : pauses) {
    const auto does = plan.ended(0, "boom", at(0ms));
    ASSERT_NE(start(does), nullptr);
    EXPECT_EQ(start(does)->pause, pause);
    plan.started(0);
  }
}

TEST_F(restart_plan_test, gives_up_at_the_restart_beyond_the_intensity_and_stops_in_reverse_order) {
  auto plan = made();
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(start(plan.ended(1, "boom", at(i * 1'000ms))), nullptr);
    plan.started(1);
  }
  auto does = plan.ended(1, "boom", at(3'000ms));
  ASSERT_NE(stop(does), nullptr);
  EXPECT_EQ(stop(does)->index, 2U);
  does = plan.ended(2, "", at(3'000ms));
  ASSERT_NE(stop(does), nullptr);
  EXPECT_EQ(stop(does)->index, 0U);
  does = plan.ended(0, "", at(3'000ms));
  ASSERT_NE(end(does), nullptr);
  EXPECT_NE(end(does)->why.find("b died more than 3 times within 5s"), std::string::npos);
}

TEST_F(restart_plan_test, forgets_restarts_that_left_the_window) {
  auto plan = made();
  for (int i = 0; i < 20; ++i) {
    ASSERT_NE(start(plan.ended(0, "boom", at(i * 2'000ms))), nullptr) << i;
    plan.started(0);
  }
  EXPECT_EQ(plan.view().children[0].restarts, 20);
}

TEST_F(restart_plan_test, stops_the_last_started_first_and_ends_as_asked) {
  auto plan = made();
  auto does = plan.stop();
  for (const std::size_t index : {2U, 1U, 0U}) {
    ASSERT_NE(stop(does), nullptr);
    EXPECT_EQ(stop(does)->index, index);
    does = plan.ended(index, "", at(0ms));
  }
  ASSERT_NE(end(does), nullptr);
  EXPECT_EQ(end(does)->why, "");
}

TEST_F(restart_plan_test, a_child_that_dies_while_stopping_is_not_restarted) {
  auto plan = made();
  static_cast<void>(plan.stop());
  const auto does = plan.ended(0, "boom", at(0ms));
  ASSERT_NE(stop(does), nullptr);
  EXPECT_EQ(stop(does)->index, 2U);
}

}  // namespace
}  // namespace troupe
