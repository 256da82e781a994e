// The numbers are those of the header's invariants.
#include "actors/governor/refusal_pace.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace troupe {
namespace {

class refusal_pace_test : public testing::Test {
 protected:
  struct call {
    refusal_pace::ticket ticket;
    instant began;
  };

  bool may_begin(const refusal_pace& pace) const { return pace.room_at(now_) == now_; }

  call begin(refusal_pace& pace) {
    EXPECT_TRUE(may_begin(pace));
    return {pace.begin(now_), now_};
  }

  std::deque<call> begin_all(refusal_pace& pace) {
    std::deque<call> begun;
    while (may_begin(pace) && begun.size() < 100) {
      begun.push_back(begin(pace));
    }
    return begun;
  }

  void refuse(refusal_pace& pace, call which, std::optional<milliseconds> retry_after = std::nullopt) {
    pace.refused(which.ticket, which.began, retry_after, now_);
  }

  static void end(refusal_pace& pace, const std::deque<call>& some) {
    for (std::size_t i = 1; i < some.size(); ++i) {
      pace.ended_otherwise(some[i].ticket);
    }
  }

  // Past the pause and the probe, refusals being long ago.
  void recover(refusal_pace& pace) {
    now_ += 10min;
    pace.succeeded(begin(pace).ticket);
  }

  instant now_{1h};
};

TEST_F(refusal_pace_test, keeps_to_the_configured_number) {
  refusal_pace pace{3};
  EXPECT_EQ(begin_all(pace).size(), 3U);
  EXPECT_FALSE(pace.room_at(now_));
  refusal_pace unlimited{0};
  EXPECT_EQ(begin_all(unlimited).size(), 100U);
}

TEST_F(refusal_pace_test, a_refusal_halves_what_was_under_way) {  // 1
  refusal_pace pace{8};
  auto begun = begin_all(pace);
  refuse(pace, begun[0], 1s);
  EXPECT_EQ(pace.concurrency(), 4);
  for (std::size_t i = 1; i < begun.size(); ++i) {
    refuse(pace, begun[i], 1s);
  }
  EXPECT_EQ(pace.concurrency(), 4) << "they were under way";
  EXPECT_EQ(pace.running(), 0);
  recover(pace);
  begun = begin_all(pace);
  EXPECT_EQ(begun.size(), 4U);
  refuse(pace, begun[3], 1s);
  EXPECT_EQ(pace.concurrency(), 2);
}

TEST_F(refusal_pace_test, one_is_always_allowed) {  // 1
  refusal_pace pace{0};
  for (int i = 0; i < 5; ++i) {
    refuse(pace, begin(pace), 0s);
    EXPECT_EQ(pace.concurrency(), 1);
    now_ += 10min;
  }
}

TEST_F(refusal_pace_test, grows_by_one_with_each_round_of_successes) {  // 2
  refusal_pace pace{4};
  auto begun = begin_all(pace);
  refuse(pace, begun[0], 0s);
  for (int i = 1; i < 4; ++i) {
    pace.succeeded(begun[static_cast<std::size_t>(i)].ticket);  // of before the refusal: they say nothing
  }
  EXPECT_EQ(pace.concurrency(), 2);
  recover(pace);  // one
  EXPECT_EQ(pace.concurrency(), 2);
  pace.succeeded(begin(pace).ticket);
  EXPECT_EQ(pace.concurrency(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pace.concurrency(), 3);
    pace.succeeded(begin(pace).ticket);
  }
  EXPECT_EQ(pace.concurrency(), 4);
  for (int i = 0; i < 50; ++i) {
    pace.succeeded(begin(pace).ticket);
  }
  EXPECT_EQ(pace.concurrency(), 4) << "no further than configured";
}

TEST_F(refusal_pace_test, one_probe_until_a_success) {  // 3
  refusal_pace pace{8};
  auto begun = begin_all(pace);
  now_ += 100ms;
  refuse(pace, begun[0], 7s);
  EXPECT_EQ(pace.room_at(now_), now_ + 7s);
  EXPECT_EQ(pace.paused_until(now_), now_ + 7s);
  pace.succeeded(begun[1].ticket);
  begun.erase(begun.begin());
  EXPECT_EQ(pace.room_at(now_), now_ + 7s) << "it began before: it says nothing";
  now_ += 7s;
  EXPECT_TRUE(may_begin(pace)) << "whatever is still under way from before";
  end(pace, begun);
  const auto probe = begin(pace);
  EXPECT_FALSE(pace.room_at(now_));
  pace.ended_otherwise(probe.ticket);
  now_ += 200ms;
  const auto second = begin(pace);
  EXPECT_FALSE(pace.room_at(now_)) << "what was neither is followed by another probe";
  now_ += 1s;
  refuse(pace, second, 3s);
  EXPECT_EQ(pace.room_at(now_), now_ + 3s);
  now_ += 3s;
  const auto third = begin(pace);
  now_ += 2s;
  pace.succeeded(third.ticket);
  EXPECT_TRUE(may_begin(pace));
}

TEST_F(refusal_pace_test, beginnings_keep_the_distance_of_a_refusal) {  // 4
  refusal_pace pace{0};
  auto begun = begin_all(pace);
  now_ += 200ms;
  refuse(pace, begun[0], 1s);
  end(pace, begun);
  now_ += 1s;
  const auto probe = begin(pace);
  now_ += 50ms;
  pace.succeeded(probe.ticket);
  EXPECT_EQ(pace.room_at(now_), now_ + 350ms);
  now_ += 350ms;
  begin(pace);
  EXPECT_EQ(pace.room_at(now_), now_ + 400ms);
  now_ += 5min;
  EXPECT_TRUE(may_begin(pace));
  begin(pace);
  EXPECT_EQ(pace.room_at(now_), now_) << "refusals are long ago";
}

TEST_F(refusal_pace_test, keeps_its_distance_for_five_minutes_to_the_millisecond) {  // 4
  refusal_pace pace{0};
  const auto refused = begin(pace);
  now_ += 200ms;
  refuse(pace, refused, 1s);
  const auto end = now_ + 1s + 5min;
  now_ += 1s;
  pace.succeeded(begin(pace).ticket);
  now_ = end - 1ms;
  pace.succeeded(begin(pace).ticket);
  EXPECT_EQ(pace.room_at(now_), now_ + 400ms);
  now_ = end;
  EXPECT_EQ(pace.room_at(now_), now_);
}

TEST_F(refusal_pace_test, a_round_that_a_refusal_ended_is_not_gone_on_with) {  // 2
  refusal_pace pace{4};
  auto begun = begin_all(pace);
  for (std::size_t i = 0; i < 3; ++i) {
    pace.succeeded(begun[i].ticket);
    begun.push_back(begin(pace));
  }
  refuse(pace, begun[3]);
  EXPECT_EQ(pace.concurrency(), 2);
  for (std::size_t i = 4; i < begun.size(); ++i) {
    pace.ended_otherwise(begun[i].ticket);
  }
  recover(pace);
  EXPECT_EQ(pace.concurrency(), 2) << "one success is half a round";
}

TEST_F(refusal_pace_test, an_older_refusal_makes_no_pause_shorter) {  // 3
  refusal_pace pace{4};
  const auto older = begin(pace);
  const auto newer = begin(pace);
  refuse(pace, newer, 60s);
  now_ += 1s;
  refuse(pace, older, 2s);
  EXPECT_EQ(pace.paused_until(now_), now_ + 59s);
}

TEST_F(refusal_pace_test, a_program_that_refuses_late_does_not_slow_everything_down) {  // 4
  refusal_pace pace{4};
  auto begun = begin_all(pace);
  now_ += 90s;
  refuse(pace, begun[0], 1s);
  end(pace, begun);
  now_ += 1s;
  pace.succeeded(begin(pace).ticket);
  EXPECT_EQ(pace.room_at(now_), now_ + 1s);
}

TEST_F(refusal_pace_test, without_a_word_it_waits_longer_each_time) {  // 5
  refusal_pace pace{4};
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 6; ++i) {
    refuse(pace, begin(pace));
    pauses.push_back(std::chrono::floor<milliseconds>(*pace.room_at(now_) - now_));
    now_ = *pace.room_at(now_);
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds>{5s, 10s, 20s, 40s, 60s, 60s}));
  pace.succeeded(begin(pace).ticket);
  now_ += 10min;
  refuse(pace, begin(pace));
  EXPECT_EQ(pace.room_at(now_), now_ + 5s);
}

TEST_F(refusal_pace_test, what_a_provider_says_is_taken_with_reason) {
  refusal_pace pace{4};
  refuse(pace, begin(pace), milliseconds::max());
  EXPECT_GT(*pace.room_at(now_), now_ + std::chrono::hours{24 * 365});
  refusal_pace other{4};
  refuse(other, begin(other), milliseconds::min());
  EXPECT_FALSE(other.paused_until(now_));
  EXPECT_EQ(other.room_at(now_), now_ + 100ms);
}

}  // namespace
}  // namespace troupe
