#include "actors/database_writer/gathering.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr gathering::duration moment = 100us;

TEST(gathering_test, pauses_once_after_a_long_commit_of_several) {
  gathering of{moment};
  of.committed(2, 800us, 1'000us);
  EXPECT_TRUE(of.pauses(1'010us));
  EXPECT_FALSE(of.pauses(1'110us));
  of.committed(4, 800us, 1'600us);
  EXPECT_TRUE(of.pauses(1'610us));
}

TEST(gathering_test, a_lone_command_never_waits) {
  gathering of{moment};
  EXPECT_FALSE(of.pauses(0us));
  of.committed(1, 10'000us, 10'000us);
  EXPECT_FALSE(of.pauses(10'000us));
}

TEST(gathering_test, does_not_pause_where_a_commit_is_cheap) {
  gathering of{moment};
  of.committed(32, 799us, 1'000us);
  EXPECT_FALSE(of.pauses(1'001us));
}

TEST(gathering_test, does_not_pause_after_a_silence) {
  gathering of{moment};
  of.committed(32, 800us, 1'000us);
  EXPECT_FALSE(of.pauses(1'000us + 8 * 800us));
  EXPECT_TRUE(of.pauses(1'000us + 7 * 800us));
}

}  // namespace
}  // namespace troupe
