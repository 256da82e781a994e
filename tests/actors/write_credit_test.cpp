#include "actors/write_credit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace troupe {
namespace {

TEST(write_credit_test, gives_as_many_places_as_there_are) {
  const write_credit credit{2};
  const auto first = credit.take();
  auto second = credit.take();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(credit.take());
  second.reset();
  EXPECT_TRUE(credit.take());
}

TEST(write_credit_test, serves_those_who_wait_in_turn_and_before_those_who_come) {
  const write_credit credit{1};
  auto place = credit.take();
  std::vector<int> served;
  write_place held;
  for (int i = 0; i < 3; ++i) {
    credit.wait([&, i](write_place next) {
      served.push_back(i);
      held = std::move(next);
    });
  }
  EXPECT_EQ(credit.waiting(), 3U);
  place.reset();
  EXPECT_EQ(served, std::vector<int>{0});
  EXPECT_FALSE(credit.take());
  std::exchange(held, nullptr).reset();
  EXPECT_EQ(served, (std::vector<int>{0, 1}));
}

TEST(write_credit_test, is_served_at_once_where_a_place_is_free) {
  const write_credit credit{1};
  bool served = false;
  credit.wait([&](const write_place&) { served = true; });
  EXPECT_TRUE(served);
  EXPECT_TRUE(credit.take());
}

// Senders that have died drop their places at once, one within the other's call if it were not a loop.
TEST(write_credit_test, a_hundred_thousand_dead_waiters_need_no_stack) {
  const write_credit credit{1};
  auto place = credit.take();
  int served = 0;
  for (int i = 0; i < 100'000; ++i) {
    credit.wait([&](const write_place&) { ++served; });
  }
  place.reset();
  EXPECT_EQ(served, 100'000);
  EXPECT_TRUE(credit.take());
}

TEST(write_credit_test, is_never_exceeded_by_threads_that_contend) {
  constexpr int depth = 3;
  constexpr int threads = 8;
  constexpr int rounds = 2'000;
  const write_credit credit{depth};
  std::atomic<int> held{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  const auto use = [&](const write_place&) {
    const int now = ++held;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    ++served;
    --held;
  };
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        if (const auto place = credit.take()) {
          use(place);
        } else {
          credit.wait(use);
        }
      }
    });
  }
  for (auto& thread : all) {
    thread.join();
  }
  EXPECT_EQ(served, threads * rounds);
  EXPECT_LE(most, depth);
  EXPECT_EQ(credit.waiting(), 0U);
}

}  // namespace
}  // namespace troupe
