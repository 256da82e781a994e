// The numbers are those of the header's invariants.
#include "actors/governor/fair_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

class fair_queue_test : public testing::Test {
 protected:
  fair_queue::ticket push(const std::string& run, int priority = 5, fair_queue::lane_no lane = 0) {
    runs_[++newest_] = run;
    queue_.push(lane, run_id{run}, priority, newest_, now_);
    return newest_;
  }

  // The run that is served, or nothing.
  std::string serve(const std::function<bool(fair_queue::lane_no)>& is_open = [](fair_queue::lane_no) {
    return true;
  }) {
    const auto next = queue_.front(is_open, now_);
    if (!next) {
      return "";
    }
    queue_.pop(next->second, now_);
    return runs_.at(next->second);
  }

  std::vector<std::string> serve(int number) {
    std::vector<std::string> served;
    for (int i = 0; i < number; ++i) {
      served.push_back(serve());
    }
    return served;
  }

  using names = std::vector<std::string>;

  fair_queue queue_;
  std::map<fair_queue::ticket, std::string> runs_;
  fair_queue::ticket newest_ = 0;
  instant now_{1h};
};

TEST_F(fair_queue_test, a_big_run_does_not_starve_ten_small_ones) {  // 1
  for (int i = 0; i < 1'000; ++i) {
    push("big");
  }
  serve(5);
  now_ += 1s;
  names small;
  for (int i = 0; i < 10; ++i) {
    small.push_back("small " + std::to_string(i));
    push(small.back());
  }
  auto served = serve(11);
  EXPECT_EQ(std::count(served.begin(), served.end(), "big"), 1);
  std::erase(served, "big");
  EXPECT_EQ(served, small);
}

TEST_F(fair_queue_test, runs_of_one_priority_take_turns) {  // 1
  for (int i = 0; i < 3; ++i) {
    push("a");
  }
  push("b");
  push("b");
  push("c");
  EXPECT_EQ(serve(7), (names{"a", "b", "c", "a", "b", "a", ""}));
}

TEST_F(fair_queue_test, the_higher_priority_goes_first) {  // 1
  push("low", 0);
  push("usual", 5);
  push("high", 9);
  push("high", 9);
  push("beyond", 99);
  push("below", -3);
  EXPECT_EQ(serve(6), (names{"high", "beyond", "high", "usual", "low", "below"}));
}

TEST_F(fair_queue_test, a_priority_out_of_its_range_is_the_end_of_it) {  // 1
  push("below", -3);
  push("lowest", 0);
  push("beyond", 99);
  push("highest", 9);
  EXPECT_EQ(serve(4), (std::vector<std::string>{"beyond", "highest", "below", "lowest"}));
}

TEST_F(fair_queue_test, who_gets_nothing_rises_one_level_every_ten_seconds) {  // 2
  push("low", 3);
  for (int i = 0; i < 100; ++i) {
    push("high", 5);
  }
  const auto serve_high_until = [&](milliseconds then) {
    for (auto passed = 0ms; passed < then; passed += 1s) {
      ASSERT_EQ(serve(), "high");
      now_ += 1s;
    }
  };
  serve_high_until(20s);
  EXPECT_EQ(serve(), "high") << "of one level by now, and it came to it later";
  EXPECT_EQ(serve(), "low");
}

TEST_F(fair_queue_test, the_lowest_beside_the_highest_is_served_at_last_and_falls_back) {  // 2
  push("low", 0);
  push("low", 0);
  int high_between = 0;
  std::vector<int> gaps;
  for (int seconds = 0; seconds < 400 && gaps.size() < 2; ++seconds, now_ += 1s) {
    push("high", 9);
    if (serve() == "low") {
      gaps.push_back(high_between);
      high_between = 0;
    } else {
      ++high_between;
    }
  }
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0], 91) << "90 s, and the one that was there before it";
  EXPECT_GE(gaps[1], 90) << "it did not stay at the top";
}

TEST_F(fair_queue_test, an_old_crowd_has_no_more_right_than_a_newcomer) {  // 2
  for (int i = 0; i < 100; ++i) {
    push("big");
  }
  for (int i = 0; i < 60; ++i, now_ += 1s) {
    EXPECT_EQ(serve(), "big");
  }
  push("small");
  const auto served = serve(2);
  EXPECT_NE(std::find(served.begin(), served.end(), "small"), served.end())
      << "its attempts have waited for a minute, but the run was served all the time";
}

TEST_F(fair_queue_test, a_run_is_served_in_its_own_order) {  // 3
  const auto first = push("a");
  const auto second = push("a");
  const auto third = push("a");
  const auto all = [](fair_queue::lane_no) { return true; };
  EXPECT_EQ(queue_.front(all, now_)->second, first);
  EXPECT_TRUE(queue_.remove(first, now_));
  EXPECT_FALSE(queue_.remove(first, now_));
  EXPECT_EQ(queue_.front(all, now_)->second, second);
  EXPECT_TRUE(queue_.remove(third, now_));
  queue_.pop(second, now_);
  EXPECT_FALSE(queue_.front(all, now_));
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(fair_queue_test, a_closed_lane_holds_up_no_other) {  // 4
  push("a", 9, 0);
  push("b", 1, 3);
  push("c", 2, 5);
  const auto not_first = [](fair_queue::lane_no lane) { return lane != 0; };
  EXPECT_EQ(serve(not_first), "c");
  EXPECT_EQ(serve(not_first), "b");
  EXPECT_EQ(serve(not_first), "");
  EXPECT_EQ(queue_.size(0), 1U);
  EXPECT_EQ(queue_.size(3), 0U);
  EXPECT_EQ(serve(), "a");
}

TEST_F(fair_queue_test, a_lane_is_cleared_in_the_order_of_coming) {
  push("b", 1, 1);
  push("a", 9, 1);
  push("b", 9, 1);
  push("c", 9, 0);
  EXPECT_EQ(queue_.clear(1), (std::vector<fair_queue::ticket>{1, 2, 3}));
  EXPECT_TRUE(queue_.clear(7).empty());
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(serve(2), (names{"c", ""}));
}

// Against the rule in words, by looking at everything each time: nobody of a lower level is served, and among runs of
// one level nobody is served twice while another waits.
TEST_F(fair_queue_test, serves_as_the_rule_says_whatever_comes) {
  struct line {
    std::vector<std::pair<fair_queue::ticket, instant>> tickets;
    int priority;
    instant served;
  };
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    fair_queue queue;
    std::map<std::string, line> lines;
    fair_queue::ticket newest = 0;
    const auto level = [&](const line& of) {
      const auto hungry = std::max(of.tickets.front().second, of.served);
      return std::min<std::int64_t>(9, of.priority + (now_ - hungry) / fair_queue::ageing_step);
    };
    for (int i = 0; i < 2'000; ++i) {
      now_ += std::chrono::milliseconds{random() % 3'000};
      const auto name = std::string(1, static_cast<char>('a' + random() % 8));
      if (random() % 2 == 0) {
        const int priority = name[0] % 5;
        const auto [found, is_new] = lines.try_emplace(name, line{{}, priority, now_});
        found->second.tickets.emplace_back(++newest, now_);
        queue.push(0, run_id{name}, priority, newest, now_);
      } else if (const auto next = queue.front([](fair_queue::lane_no) { return true; }, now_)) {
        const auto served = std::find_if(lines.begin(), lines.end(), [&](const auto& each) {
          return each.second.tickets.front().first == next->second;
        });
        ASSERT_NE(served, lines.end()) << "the first of its run";
        for (const auto& [other, of] : lines) {
          ASSERT_LE(level(of), level(served->second)) << other << " before " << served->first;
        }
        queue.pop(next->second, now_);
        served->second.tickets.erase(served->second.tickets.begin());
        served->second.served = now_;
        if (served->second.tickets.empty()) {
          lines.erase(served);
        }
      } else {
        ASSERT_TRUE(lines.empty());
      }
    }
  }
}

}  // namespace
}  // namespace troupe
