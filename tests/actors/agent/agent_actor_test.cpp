// What an agent shows of its attempt, with a scripted process: one thread, virtual time.
#include "tests/support/house.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace troupe
