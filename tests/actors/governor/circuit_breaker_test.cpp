// The numbers are those of the header's invariants.
#include "actors/governor/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

namespace troupe {
namespace {

class circuit_breaker_test : public testing::Test {
 protected:
  void call(circuit_breaker& breaker, permit_end how) {
    ASSERT_TRUE(breaker.lets_through(now_));
    breaker.end(breaker.begin(now_), how, now_);
  }

  void calls(circuit_breaker& breaker, int number, permit_end how) {
    for (int i = 0; i < number; ++i) {
      call(breaker, how);
    }
  }

  circuit_breaker opened() {
    circuit_breaker breaker{breaker_spec{}};
    calls(breaker, 10, permit_end::failed);
    EXPECT_EQ(breaker.state(), breaker_state::open);
    return breaker;
  }

  instant now_{1h};
};

TEST_F(circuit_breaker_test, opens_at_half_of_ten_calls_and_not_before) {  // 1
  circuit_breaker breaker{breaker_spec{}};
  calls(breaker, 4, permit_end::succeeded);
  calls(breaker, 5, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed) << "nine calls say nothing";
  call(breaker, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::open);
}

TEST_F(circuit_breaker_test, bears_less_than_its_rate) {  // 1
  circuit_breaker breaker{breaker_spec{}};
  calls(breaker, 51, permit_end::succeeded);
  calls(breaker, 49, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::succeeded);  // pushes out a success
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::failed);  // 50 of the last 100
  EXPECT_EQ(breaker.state(), breaker_state::open);
}

TEST_F(circuit_breaker_test, looks_at_the_last_outcomes_only) {  // 1
  circuit_breaker breaker{{.window = 20, .min_calls = 20}};
  calls(breaker, 9, permit_end::failed);
  calls(breaker, 20, permit_end::succeeded);  // the failures have left
  calls(breaker, 9, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::open);
}

TEST_F(circuit_breaker_test, opens_at_so_many_failures_in_a_row) {  // 1
  circuit_breaker breaker{{.consecutive = 3}};
  calls(breaker, 2, permit_end::failed);
  call(breaker, permit_end::succeeded);
  calls(breaker, 2, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::open);
}

TEST_F(circuit_breaker_test, is_open_for_thirty_seconds_then_lets_one_through) {  // 2
  auto breaker = opened();
  EXPECT_EQ(breaker.closed_until(now_), now_ + 30s);
  now_ += 30s - 1ns;
  EXPECT_FALSE(breaker.lets_through(now_));
  now_ += 1ns;
  EXPECT_FALSE(breaker.closed_until(now_));
  ASSERT_TRUE(breaker.lets_through(now_));
  const auto probe = breaker.begin(now_);
  EXPECT_EQ(breaker.state(), breaker_state::half_open);
  EXPECT_FALSE(breaker.lets_through(now_));
  now_ += 1h;
  EXPECT_FALSE(breaker.lets_through(now_)) << "however long it takes";
  breaker.end(probe, permit_end::succeeded, now_);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  calls(breaker, 9, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed) << "what was before is forgotten";
}

TEST_F(circuit_breaker_test, counts_anew_after_a_probe) {  // 1, 2
  auto breaker = opened();
  now_ += 30s;
  call(breaker, permit_end::succeeded);
  calls(breaker, 5, permit_end::succeeded);
  calls(breaker, 4, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::open) << "five of ten: neither the probe nor what was before it counts";
}

TEST_F(circuit_breaker_test, a_probe_that_fails_opens_it_again) {  // 2
  auto breaker = opened();
  now_ += 31s;
  const auto probe = breaker.begin(now_);
  now_ += 5s;
  breaker.end(probe, permit_end::failed, now_);
  EXPECT_EQ(breaker.state(), breaker_state::open);
  EXPECT_EQ(breaker.closed_until(now_), now_ + 30s);
}

TEST_F(circuit_breaker_test, refusals_and_what_was_cut_short_do_not_count) {  // 3
  circuit_breaker breaker{{.consecutive = 2}};
  calls(breaker, 200, permit_end::rate_limited);
  calls(breaker, 200, permit_end::not_counted);
  call(breaker, permit_end::failed);
  call(breaker, permit_end::rate_limited);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
  call(breaker, permit_end::failed);
  EXPECT_EQ(breaker.state(), breaker_state::open);
  now_ += 30s;
  call(breaker, permit_end::not_counted);
  EXPECT_EQ(breaker.state(), breaker_state::half_open);
  call(breaker, permit_end::rate_limited);
  EXPECT_EQ(breaker.state(), breaker_state::half_open);
  call(breaker, permit_end::succeeded);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
}

TEST_F(circuit_breaker_test, those_that_began_before_the_change_change_nothing) {  // 4
  circuit_breaker breaker{breaker_spec{}};
  const auto early = breaker.begin(now_);
  const auto late = breaker.begin(now_);
  calls(breaker, 10, permit_end::failed);
  now_ += 10s;
  breaker.end(early, permit_end::failed, now_);
  EXPECT_EQ(breaker.closed_until(now_), now_ + 20s) << "it is not open for longer";
  now_ += 20s;
  const auto probe = breaker.begin(now_);
  breaker.end(late, permit_end::succeeded, now_);
  EXPECT_EQ(breaker.state(), breaker_state::half_open);
  EXPECT_FALSE(breaker.lets_through(now_));
  breaker.end(probe, permit_end::succeeded, now_);
  EXPECT_EQ(breaker.state(), breaker_state::closed);
}

// Against the rule in words: the counts of the last hundred, by a list.
TEST_F(circuit_breaker_test, counts_as_the_rule_says_for_any_outcomes) {  // 1
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    breaker_spec rules;
    rules.window = 1 + static_cast<int>(random() % 40);
    rules.min_calls = 1 + static_cast<int>(random() % static_cast<std::uint64_t>(rules.window));
    rules.failure_rate = 0.05 * static_cast<double>(1 + random() % 20);
    rules.consecutive = static_cast<int>(random() % 8);
    circuit_breaker breaker{rules};
    std::deque<bool> last;
    int in_a_row = 0;
    for (int i = 0; i < 500; ++i) {
      const bool fails = random() % 100 < 30;
      call(breaker, fails ? permit_end::failed : permit_end::succeeded);
      last.push_back(fails);
      if (last.size() > static_cast<std::size_t>(rules.window)) {
        last.pop_front();
      }
      in_a_row = fails ? in_a_row + 1 : 0;
      const auto failures = std::count(last.begin(), last.end(), true);
      const bool is_rate =
          static_cast<int>(last.size()) >= rules.min_calls && failures > 0 &&
          static_cast<double>(failures) >= rules.failure_rate * static_cast<double>(last.size()) - 1e-9;
      const bool is_row = rules.consecutive > 0 && in_a_row >= rules.consecutive;
      ASSERT_EQ(breaker.state() == breaker_state::open, is_rate || is_row) << i;
      if (is_rate || is_row) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace troupe
