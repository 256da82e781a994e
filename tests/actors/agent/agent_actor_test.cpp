// What an agent shows of its attempt, with a scripted process: one thread, virtual time.
#include "tests/support/house.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace troupe {
namespace {

TEST(agent_actor_test, a_silence_is_over_with_the_next_line) {
  house place;
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n"));
  place.listen();
  const auto listener = place.processes->at(0).listener;
  listener.silent({2'000ms, std::chrono::microseconds{7}, std::chrono::microseconds{0}, 1'000ms});
  place.settle();
  listener.progress("a line", 6);
  place.settle();
  ASSERT_EQ(place.progress.size(), 2U);
  EXPECT_EQ(place.progress[0].silent, 2'000ms);
  EXPECT_EQ(place.progress[1].silent, 0ms);
  EXPECT_EQ(place.progress[1].last_line, "a line");
  EXPECT_EQ(place.progress[1].bytes, 6);
}

// Invariant 6, looked at from within the work: the rows say already that it may have been done.
TEST(agent_actor_test, a_function_begins_when_its_start_is_committed) {
  house place;
  std::optional<task_state> seen;
  place.functions["work"] = [&](const function_request&) -> result<function_reply> {
    seen = place.tasks().at(0).state;
    return function_reply{};
  };
  place.start();
  ASSERT_TRUE(place.submit("name = \"one\"\n[[step]]\nid = \"do\"\nfunction = \"work\"\n"));
  EXPECT_EQ(seen, task_state::running);
  EXPECT_EQ(place.view().state, run_state::completed);
}

TEST(agent_actor_test, so_does_an_agent_that_must_not_be_repeated_unasked) {
  house place;
  std::optional<task_state> seen;
  place.processes->answer_all_with("done", [&] {
    seen = place.tasks().at(0).state;
    return 0;
  });
  place.start();
  const std::string step = "[[step]]\nid = \"ask\"\nagent = \"a\"\nprompt = \"hello\"\n";
  ASSERT_TRUE(place.submit("name = \"careful\"\n" + step + "on_crash = \"ask\"\n"));
  EXPECT_EQ(seen, task_state::running);
  EXPECT_EQ(place.view().state, run_state::completed);
}

}  // namespace
}  // namespace troupe
