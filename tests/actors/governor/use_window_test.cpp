// The numbers are those of the header's invariants.
#include "actors/governor/use_window.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

provider_spec limits(std::int64_t requests, std::int64_t input, std::int64_t output) {
  provider_spec spec;
  spec.requests_per_minute = requests;
  spec.input_tokens_per_minute = input;
  spec.output_tokens_per_minute = output;
  return spec;
}

class use_window_test : public testing::Test {
 protected:
  instant now_{1h};
};

TEST_F(use_window_test, lets_a_minutes_requests_through_and_no_more) {
  use_window window{limits(3, 0, 0)};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(window.room_at({}, now_), now_);
    window.reserve({}, now_);
    now_ += 1s;
  }
  EXPECT_EQ(window.room_at({}, now_), now_ - 3s + use_window::length) << "when the first has left";
  now_ += use_window::length - 3s - 1ns;
  EXPECT_GT(window.room_at({}, now_), now_);
  now_ += 1ns;
  EXPECT_EQ(window.room_at({}, now_), now_);
  EXPECT_EQ(window.used(now_).requests, 2);
}

TEST_F(use_window_test, numbers_that_cannot_be_count_as_far_as_they_can) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  use_window window{limits(0, 1'000, 1'000)};
  const auto negative = window.reserve({least, least}, now_);
  window.settle(negative, {least, least}, {-1, -1}, now_);
  EXPECT_EQ(window.used(now_).tokens.input, 0);
  EXPECT_EQ(window.used(now_).tokens.output, 0);
  EXPECT_EQ(window.room_at({1'000, 1'000}, now_), now_);
  for (int i = 0; i < 100; ++i) {
    window.settle(window.reserve({most, most}, now_), {most, most}, {most, most}, now_);
  }
  EXPECT_EQ(window.room_at({1, 1}, now_), now_ + use_window::length);
  now_ += use_window::length;
  EXPECT_EQ(window.used(now_).tokens.input, 0);
  EXPECT_EQ(window.used(now_).requests, 0);
}

TEST_F(use_window_test, waits_for_as_many_as_it_takes) {  // 1
  use_window window{limits(0, 1'000, 0)};
  for (int i = 0; i < 4; ++i) {
    window.reserve({250, 0}, now_);
    now_ += 1s;
  }
  EXPECT_EQ(window.room_at({250, 0}, now_), now_ - 4s + use_window::length);
  EXPECT_EQ(window.room_at({251, 0}, now_), now_ - 3s + use_window::length);
  EXPECT_EQ(window.room_at({1'000, 0}, now_), now_ - 1s + use_window::length);
}

TEST_F(use_window_test, what_was_not_used_is_free_at_once) {  // 1
  use_window window{limits(0, 1'000, 100)};
  const auto place = window.reserve({900, 90}, now_);
  EXPECT_GT(window.room_at({200, 0}, now_), now_);
  EXPECT_GT(window.room_at({0, 20}, now_), now_);
  window.settle(place, {900, 90}, {300, 30}, now_);
  EXPECT_EQ(window.room_at({700, 70}, now_), now_);
  EXPECT_EQ(window.used(now_).tokens.input, 300);
}

TEST_F(use_window_test, what_was_used_beyond_counts_from_when_it_is_known) {  // 2
  use_window window{limits(0, 1'000, 0)};
  const auto place = window.reserve({100, 0}, now_);
  now_ += 30s;
  window.settle(place, {100, 0}, {900, 0}, now_);
  EXPECT_EQ(window.used(now_).tokens.input, 900);
  EXPECT_EQ(window.used(now_).requests, 1);
  now_ += use_window::length - 30s;
  EXPECT_EQ(window.used(now_).tokens.input, 800);
  EXPECT_EQ(window.used(now_).requests, 0);
  now_ += 30s;
  EXPECT_EQ(window.used(now_).tokens.input, 0);
}

TEST_F(use_window_test, an_end_after_its_minute_counts_what_was_not_expected_only) {  // 2
  use_window window{limits(0, 1'000, 1'000)};
  const auto place = window.reserve({500, 500}, now_);
  now_ += 10min;
  window.settle(place, {500, 500}, {400, 700}, now_);
  EXPECT_EQ(window.used(now_).tokens.input, 0);
  EXPECT_EQ(window.used(now_).tokens.output, 200);
}

TEST_F(use_window_test, one_that_is_larger_than_the_limit_goes_alone) {  // 3
  use_window window{limits(0, 1'000, 0)};
  EXPECT_EQ(window.room_at({5'000, 0}, now_), now_);
  window.reserve({1, 0}, now_);
  EXPECT_EQ(window.room_at({5'000, 0}, now_), now_ + use_window::length);
}

TEST_F(use_window_test, what_is_given_back_was_never_there) {
  use_window window{limits(1, 0, 0)};
  const auto place = window.reserve({7, 7}, now_);
  EXPECT_GT(window.room_at({}, now_), now_);
  window.give_back(place, now_);
  EXPECT_EQ(window.room_at({}, now_), now_);
  EXPECT_EQ(window.used(now_).tokens.input, 0);
  now_ += 2min;
  window.give_back(place, now_);  // gone long ago
  EXPECT_EQ(window.used(now_).requests, 0);
}

TEST_F(use_window_test, negative_and_huge_amounts_do_no_harm) {
  use_window window{limits(0, 1'000, 1'000)};
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  for (int i = 0; i < 100; ++i) {
    const auto place = window.reserve({most, least}, now_);
    window.settle(place, {most, least}, {least, most}, now_);
  }
  EXPECT_GT(window.room_at({1, 1}, now_), now_);
  now_ += use_window::length;
  EXPECT_EQ(window.used(now_).tokens.input, 0);
  EXPECT_EQ(window.used(now_).tokens.output, 0);
}

TEST_F(use_window_test, what_rows_say_counts_until_its_minute_is_over) {
  use_window window{limits(2, 0, 0)};
  window.restore({10, 5}, now_ - 50s);
  window.restore({10, 5}, now_ - 20s);
  EXPECT_EQ(window.room_at({}, now_), now_ - 50s + use_window::length);
  EXPECT_EQ(window.used(now_).tokens.output, 10);
}

// The promise itself: in no minute, wherever it begins, are there more than the limit.
TEST_F(use_window_test, no_minute_has_more_than_its_limit) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const auto spec = limits(30, 10'000, 3'000);
    use_window window{spec};
    struct sent {
      instant at;
      token_estimate tokens;
    };
    std::vector<sent> all;
    now_ = instant{1h};
    for (int i = 0; i < 600; ++i) {
      const token_estimate wanted{static_cast<std::int64_t>(random() % 1'000),
                                  static_cast<std::int64_t>(random() % 300)};
      now_ = window.room_at(wanted, now_);
      window.reserve(wanted, now_);
      all.push_back({now_, wanted});
      now_ += std::chrono::milliseconds{random() % 1'500};
    }
    for (std::size_t first = 0; first < all.size(); ++first) {
      std::int64_t requests = 0;
      token_estimate tokens;
      for (auto i = first; i < all.size() && all[i].at < all[first].at + 60s; ++i) {
        ++requests;
        tokens.input += all[i].tokens.input;
        tokens.output += all[i].tokens.output;
      }
      ASSERT_LE(requests, spec.requests_per_minute);
      ASSERT_LE(tokens.input, spec.input_tokens_per_minute);
      ASSERT_LE(tokens.output, spec.output_tokens_per_minute);
    }
  }
}

}  // namespace
}  // namespace troupe
