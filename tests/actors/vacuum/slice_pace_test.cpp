#include "actors/vacuum/slice_pace.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using std::chrono::microseconds;

vacuum_progress took(std::int64_t pages, microseconds length, slice_end end = slice_end::pages_freed) {
  return {pages, end, {4'096, 10'000, 5'000}, length};
}

TEST(slice_pace_test, begins_small_and_leaves_room_for_the_commit) {
  const slice_pace pace{10ms};
  const auto first = pace.next(maintenance_turn::when_idle);
  EXPECT_EQ(first.pages, slice_pace::pages_first);
  EXPECT_EQ(first.at_most, 2'500us);
  EXPECT_EQ(first.turn, maintenance_turn::when_idle);
  EXPECT_EQ(pace.next(maintenance_turn::now).turn, maintenance_turn::now);
}

TEST(slice_pace_test, grows_twofold_while_slices_are_short) {
  slice_pace pace{10ms};
  for (std::int64_t pages = slice_pace::pages_first; pages <= slice_pace::pages_max; pages *= 2) {
    EXPECT_EQ(pace.next({}).pages, pages);
    pace.learn(took(pages, microseconds{0}));
  }
  EXPECT_EQ(pace.next({}).pages, slice_pace::pages_max);
}

TEST(slice_pace_test, aims_at_half_of_the_limit) {
  slice_pace pace{10ms};
  pace.learn(took(64, 4ms));
  EXPECT_EQ(pace.next({}).pages, 80);  // 64 * 5 / 4
  pace.learn(took(80, 5ms));
  EXPECT_EQ(pace.next({}).pages, 80);
  pace.learn(took(80, 8ms));
  EXPECT_EQ(pace.next({}).pages, 50);
}

TEST(slice_pace_test, shrinks_at_most_fourfold_and_never_to_nothing) {
  slice_pace pace{10ms};
  pace.learn(took(64, 1s));
  EXPECT_EQ(pace.next({}).pages, 16);
  pace.learn(took(16, 1s));
  EXPECT_EQ(pace.next({}).pages, slice_pace::pages_min);
  pace.learn(took(8, 1s));
  EXPECT_EQ(pace.next({}).pages, slice_pace::pages_min);
}

TEST(slice_pace_test, a_slice_that_was_cut_short_by_the_clock_teaches_what_fits) {
  slice_pace pace{10ms};
  pace.learn(took(20, 5ms, slice_end::out_of_time));
  EXPECT_EQ(pace.next({}).pages, 20);
}

TEST(slice_pace_test, learns_nothing_from_one_that_gave_way_unless_it_was_too_long) {
  slice_pace pace{10ms};
  pace.learn(took(1, 2ms, slice_end::gave_way));
  pace.learn(took(3, 2ms, slice_end::nothing_left));
  EXPECT_EQ(pace.next({}).pages, slice_pace::pages_first);
  pace.learn(took(64, 20ms, slice_end::gave_way));
  EXPECT_EQ(pace.next({}).pages, 16);
}

}  // namespace
}  // namespace troupe
