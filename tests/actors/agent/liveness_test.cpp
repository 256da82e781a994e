#include "actors/agent/liveness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

using limit = attempt_session::limit;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

attempt_order order() {
  attempt_order made;
  made.spec.name = agent_name{"claude"};
  made.spec.first_output = milliseconds{30'000};
  made.spec.idle_timeout = milliseconds{90'000};
  made.limits.timeout = milliseconds{600'000};
  return made;
}

attempt_end talkative() {
  attempt_end end;
  end.standard_output = std::make_shared<const std::string>("one\nthinking\x1b[2J about it\n");
  end.standard_output_bytes = 27;
  end.exit.last_output_at = timestamp{std::chrono::seconds{1'795'241'000}};
  end.exit.cpu_time = std::chrono::microseconds{1'250'000};
  return end;
}

TEST(liveness_test, a_silent_attempt_is_told_with_what_was_seen_last_and_when) {
  const auto told = tell_overrun(order(), limit::idle, talkative());
  EXPECT_EQ(told.code, error_code::task_timeout);
  EXPECT_THAT(told.message,
              AllOf(HasSubstr("printed nothing for 90s (idle_timeout)"),
                    HasSubstr("the last of 27 bytes came at " + to_rfc3339(*talkative().exit.last_output_at)),
                    HasSubstr("thinking about it"),
                    HasSubstr("1250ms of processor time"),
                    Not(HasSubstr("\x1b"))));
  EXPECT_THAT(told.hint, HasSubstr("agents.claude.idle_timeout"));
}

TEST(liveness_test, an_attempt_that_never_began_to_speak_is_told_as_such) {
  const auto told = tell_overrun(order(), limit::first_output, {});
  EXPECT_THAT(told.message, HasSubstr("printed nothing within 30s (first_output)"));
  EXPECT_THAT(told.hint, HasSubstr("agents.claude.first_output"));
  EXPECT_THAT(tell_overrun(order(), limit::idle, {}).message, HasSubstr("it had printed nothing"));
  EXPECT_THAT(tell_overrun(order(), limit::timeout, {}).message, HasSubstr("longer than 10m"));
}

TEST(liveness_test, who_computes_is_told_from_who_waits) {
  using std::chrono::microseconds;
  EXPECT_TRUE(is_busy({40'000ms, microseconds{35'000'000}, microseconds{900'000}, 1'000ms}));
  EXPECT_TRUE(is_busy({40'000ms, microseconds{35'000'000}, microseconds{20'000}, 1'000ms}));
  EXPECT_FALSE(is_busy({40'000ms, microseconds{35'000'000}, microseconds{19'999}, 1'000ms}));
  EXPECT_FALSE(is_busy({40'000ms, microseconds{35'000'000}, microseconds{0}, 0ms}));
  auto end = talkative();
  end.silence = process_silence{90'000ms, microseconds{80'000'000}, microseconds{4'000'000}, 4'000ms};
  EXPECT_THAT(tell_overrun(order(), limit::idle, end).message, HasSubstr("and were busy"));
  EXPECT_THAT(tell_overrun(order(), limit::idle, end).hint, HasSubstr("raise agents.claude.idle_timeout"));
  end.silence->cpu_recent = microseconds{0};
  EXPECT_THAT(tell_overrun(order(), limit::idle, end).message, HasSubstr("and were idle"));
  EXPECT_THAT(tell_overrun(order(), limit::idle, end).hint, HasSubstr("what the program waits for"));
}

}  // namespace
}  // namespace troupe
