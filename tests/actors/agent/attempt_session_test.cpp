#include "actors/agent/attempt_session.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using timer = attempt_session::timer;

attempt_session made() { return attempt_session{{60'000ms, 5'000ms, 2'000ms}}; }

std::string text(const attempt_session::effects& effects) {
  std::string all;
  for (const auto& effect : effects) {
    if (const auto* arm = std::get_if<attempt_session::arm>(&effect)) {
      const char* const names[] = {"deadline", "kill_grace", "drain_grace"};
      all += std::string{names[static_cast<int>(arm->which)]} + "@" + to_text(arm->after) + " ";
    } else {
      all += std::holds_alternative<attempt_session::kill>(effect) ? "kill " : "terminate ";
    }
  }
  return all;
}

TEST(attempt_session_test, arms_the_deadline_of_the_step) {
  EXPECT_EQ(text(made().begun()), "deadline@1m ");
  EXPECT_EQ(text(attempt_session{{std::nullopt, 5'000ms, 2'000ms}}.begun()), "");
}

TEST(attempt_session_test, a_time_out_asks_first_and_kills_after_the_grace) {
  auto late = made();
  EXPECT_EQ(text(late.due(timer::deadline)), "terminate kill_grace@5s ");
  EXPECT_EQ(text(late.due(timer::kill_grace)), "kill ");
  EXPECT_EQ(late.cause(), stop_cause::timed_out);
}

TEST(attempt_session_test, stopping_at_once_skips_the_request) {
  auto one = made();
  EXPECT_EQ(text(one.stop(stop_cause::cancelled, true)), "kill ");
  EXPECT_EQ(text(one.stop(stop_cause::cancelled, true)), "");
}

TEST(attempt_session_test, a_second_request_shortens_the_first) {
  auto one = made();
  EXPECT_EQ(text(one.stop(stop_cause::cancelled, false)), "terminate kill_grace@5s ");
  EXPECT_EQ(text(one.stop(stop_cause::cancelled, false)), "");
  EXPECT_EQ(text(one.stop(stop_cause::cancelled, true)), "kill ");
  EXPECT_EQ(text(one.due(timer::kill_grace)), "");
}

TEST(attempt_session_test, the_first_cause_stands) {
  auto one = made();
  static_cast<void>(one.due(timer::deadline));
  static_cast<void>(one.stop(stop_cause::cancelled, false));
  EXPECT_EQ(one.cause(), stop_cause::timed_out);

  auto large = made();
  EXPECT_EQ(text(large.output_limit_reached()), "terminate kill_grace@5s ");
  static_cast<void>(large.stop(stop_cause::cancelled, false));
  EXPECT_TRUE(large.output_too_large());
  EXPECT_EQ(large.cause(), std::nullopt);
}

TEST(attempt_session_test, waits_for_open_pipes_no_longer_than_the_drain_grace) {
  auto one = made();
  EXPECT_EQ(text(one.exited()), "drain_grace@2s ");
  EXPECT_EQ(text(one.due(timer::deadline)), "");  // it ended in time
  EXPECT_EQ(text(one.due(timer::drain_grace)), "kill ");
  EXPECT_EQ(one.cause(), std::nullopt);
}

TEST(attempt_session_test, a_stop_after_the_end_is_not_its_cause) {
  auto one = made();
  static_cast<void>(one.exited());
  static_cast<void>(one.stop(stop_cause::cancelled, false));
  EXPECT_EQ(one.cause(), std::nullopt);
}

}  // namespace
}  // namespace troupe
