#include "actors/retry_scheduler/wait_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace troupe {
namespace {

using waiters = std::vector<wait_list::waiter>;

const run_id a{"a"};
const run_id b{"b"};

timestamp at(std::chrono::microseconds time) { return timestamp{time}; }

TEST(wait_list, gives_those_that_are_due_by_time_and_then_by_coming) {
  wait_list list;
  list.add(a, "1", at(3s), 10);
  list.add(a, "2", at(1s), 11);
  list.add(b, "1", at(3s), 12);
  list.add(b, "2", at(2s), 13);
  EXPECT_EQ(list.next(), at(1s));
  EXPECT_EQ(list.take_due(at(1s) - 1us), waiters{});
  EXPECT_EQ(list.take_due(at(2s)), (waiters{11, 13}));
  EXPECT_EQ(list.next(), at(3s));
  EXPECT_EQ(list.size(), 2U);
  EXPECT_EQ(list.take_due(at(1h)), (waiters{10, 12}));
  EXPECT_FALSE(list.next());
}

TEST(wait_list, the_later_question_under_a_key_replaces_the_former) {
  wait_list list;
  EXPECT_FALSE(list.add(a, "1", at(1s), 1));
  EXPECT_EQ(list.add(a, "1", at(5s), 2), 1U);
  EXPECT_EQ(list.size(), 1U);
  EXPECT_EQ(list.take_due(at(4s)), waiters{});
  EXPECT_EQ(list.take_due(at(5s)), waiters{2});
}

TEST(wait_list, forgets_one_or_a_whole_run) {
  wait_list list;
  list.add(a, "1", at(1s), 1);
  list.add(a, "2", at(1s), 2);
  list.add(a, "3", at(1s), 3);
  list.add(b, "1", at(1s), 4);
  EXPECT_EQ(list.forget(a, "2"), waiters{2});
  EXPECT_EQ(list.forget(a, "2"), waiters{});
  EXPECT_EQ(list.forget(a, ""), (waiters{1, 3}));
  EXPECT_EQ(list.forget(run_id{"c"}, ""), waiters{});
  EXPECT_EQ(list.take_due(at(1s)), waiters{4});
  EXPECT_EQ(list.size(), 0U);
}

TEST(wait_list, tells_the_earliest_and_no_more_than_asked_for) {
  wait_list list;
  list.add(run_id{"a"}, "late", at(9s), 1);
  list.add(run_id{"b"}, "soon", at(1s), 2);
  list.add(run_id{"a"}, "soon", at(1s), 3);
  const auto told = list.earliest(2);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].run, run_id{"b"});
  EXPECT_EQ(told[0].key, "soon");
  EXPECT_EQ(told[0].due, at(1s));
  EXPECT_EQ(told[1].run, run_id{"a"}) << "of one time, who came first";
  EXPECT_EQ(list.earliest(9).size(), 3U);
  EXPECT_TRUE(wait_list{}.earliest(9).empty());
}

TEST(wait_list, does_as_a_plain_list_would_whatever_comes) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    wait_list list;
    std::map<std::pair<run_id, std::string>, std::pair<timestamp, wait_list::waiter>> plain;
    wait_list::waiter newest = 0;
    auto now = at(0s);
    for (int i = 0; i < 500; ++i) {
      const run_id run{std::string(1, static_cast<char>('a' + random() % 4))};
      const auto key = std::to_string(random() % 6);
      const auto what = random() % 4;
      if (what < 2) {
        const auto due = now + std::chrono::seconds{random() % 20};
        list.add(run, key, due, ++newest);
        plain[{run, key}] = {due, newest};
      } else if (what == 2) {
        ASSERT_EQ(list.forget(run, key).size(), plain.erase({run, key}));
      } else {
        now += std::chrono::seconds{random() % 5};
        std::vector<std::pair<timestamp, wait_list::waiter>> due;
        std::erase_if(plain, [&](const auto& each) {
          if (each.second.first <= now) {
            due.push_back(each.second);
          }
          return each.second.first <= now;
        });
        std::sort(due.begin(), due.end());
        const auto taken = list.take_due(now);
        ASSERT_EQ(taken.size(), due.size());
        ASSERT_TRUE(std::equal(
            taken.begin(), taken.end(), due.begin(), [](auto who, const auto& each) { return who == each.second; }));
      }
      ASSERT_EQ(list.size(), plain.size());
    }
  }
}

}  // namespace
}  // namespace troupe
