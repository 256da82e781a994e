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
      const char* const names[] = {"deadline", "kill_grace", "drain_grace", "first_output", "idle_look"};
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

// Silence

attempt_session silent(std::optional<milliseconds> first, std::optional<milliseconds> idle) {
  return attempt_session{{60'000ms, 5'000ms, 2'000ms}, {first, idle}};
}

TEST(attempt_session_test, has_no_limit_of_silence_unless_asked) {
  auto one = made();
  EXPECT_EQ(text(one.started()), "");
  one.printed();
}

TEST(attempt_session_test, waits_for_the_first_byte_so_long) {
  auto one = silent(3'000ms, {});
  EXPECT_EQ(text(one.started()), "first_output@3s ");
  EXPECT_EQ(text(one.due(timer::first_output)), "terminate kill_grace@5s ");
  EXPECT_EQ(one.cause(), stop_cause::timed_out);
  EXPECT_EQ(one.overrun(), attempt_session::limit::first_output);
}

TEST(attempt_session_test, a_first_byte_ends_the_wait_for_it) {
  auto one = silent(3'000ms, {});
  static_cast<void>(one.started());
  one.printed();
  EXPECT_EQ(text(one.due(timer::first_output)), "");
  EXPECT_EQ(one.cause(), std::nullopt);
}

TEST(attempt_session_test, eight_silent_looks_in_a_row_are_too_long) {
  auto one = silent({}, 8'000ms);
  EXPECT_EQ(text(one.started()), "idle_look@1s ");
  for (int look = 1; look < 8; ++look) {
    EXPECT_EQ(text(one.due(timer::idle_look)), "idle_look@1s ") << look;
  }
  EXPECT_EQ(text(one.due(timer::idle_look)), "terminate kill_grace@5s ");
  EXPECT_EQ(one.overrun(), attempt_session::limit::idle);
}

TEST(attempt_session_test, the_limit_that_was_first_is_the_one_that_is_told) {
  auto one = silent(3'000ms, {});
  static_cast<void>(one.started());
  static_cast<void>(one.due(timer::deadline));
  static_cast<void>(one.due(timer::first_output));
  EXPECT_EQ(one.overrun(), attempt_session::limit::timeout);
  static_cast<void>(one.output_limit_reached());
  EXPECT_FALSE(one.output_too_large()) << "of one that is stopped already";
}

TEST(attempt_session_test, a_byte_begins_the_silence_anew) {
  auto one = silent({}, 8'000ms);
  static_cast<void>(one.started());
  for (int look = 0; look < 100; ++look) {
    if (look % 8 == 7) {
      one.printed();
    }
    ASSERT_EQ(text(one.due(timer::idle_look)), "idle_look@1s ") << look;
  }
  one.printed();
  int looks = 0;
  while (!one.cause()) {
    static_cast<void>(one.due(timer::idle_look));
    ++looks;
  }
  EXPECT_EQ(looks, 9) << "never less than the time asked for, and an eighth more at most";
}

TEST(attempt_session_test, silence_counts_from_the_first_byte_where_that_has_a_limit_of_its_own) {
  auto one = silent(60'000ms, 8'000ms);
  EXPECT_EQ(text(one.started()), "idle_look@1s first_output@1m ");
  for (int look = 0; look < 50; ++look) {
    ASSERT_EQ(text(one.due(timer::idle_look)), "idle_look@1s ");
  }
  one.printed();
  for (int look = 0; look < 9; ++look) {
    EXPECT_EQ(one.cause(), std::nullopt);
    static_cast<void>(one.due(timer::idle_look));
  }
  EXPECT_EQ(one.overrun(), attempt_session::limit::idle);
}

TEST(attempt_session_test, silence_after_the_end_or_a_stop_is_nobodys_fault) {
  auto ended = silent(3'000ms, 8'000ms);
  static_cast<void>(ended.started());
  static_cast<void>(ended.exited());
  EXPECT_EQ(text(ended.due(timer::first_output)), "");
  EXPECT_EQ(text(ended.due(timer::idle_look)), "");
  EXPECT_EQ(ended.cause(), std::nullopt);
  auto late = silent({}, 8'000ms);
  static_cast<void>(late.started());
  static_cast<void>(late.due(timer::deadline));
  EXPECT_EQ(text(late.due(timer::idle_look)), "");
  EXPECT_EQ(late.overrun(), attempt_session::limit::timeout);
}

}  // namespace
}  // namespace troupe
