#include "actors/event_hub/subscription.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace troupe {
namespace {

event_batch_ptr events(std::int64_t first, std::int64_t last, event_kind kind = event_kind::task_started) {
  auto batch = std::make_shared<event_batch>();
  for (std::int64_t seq = first; seq <= last; ++seq) {
    event fact;
    fact.run = run_id{"r-1"};
    fact.seq = event_seq{seq};
    fact.kind = kind;
    batch->push_back(fact);
  }
  return batch;
}

const subscription::send_batch* sends(const subscription::effect& does) {
  return std::get_if<subscription::send_batch>(&does);
}

const subscription::read_table* reads(const subscription::effect& does) {
  return std::get_if<subscription::read_table>(&does);
}

TEST(subscription_test, a_late_joiner_is_served_from_the_table_first) {
  subscription late{event_seq{2}};
  const auto does = late.joined();
  ASSERT_NE(reads(does), nullptr);
  EXPECT_EQ(reads(does)->since, event_seq{2});
  EXPECT_NE(sends(late.read(events(3, 5))), nullptr);
}

TEST(subscription_test, live_events_follow_without_the_table) {
  subscription live{event_seq{0}};
  static_cast<void>(live.joined());
  static_cast<void>(live.read(events(1, 0)));
  EXPECT_NE(sends(live.committed(events(1, 3))), nullptr);
  EXPECT_EQ(live.taken().index(), 0U);
  EXPECT_NE(sends(live.committed(events(4, 4))), nullptr);
}

TEST(subscription_test, what_the_table_gave_is_not_sent_again) {
  subscription late{event_seq{0}};
  static_cast<void>(late.joined());
  EXPECT_EQ(late.committed(events(1, 2)).index(), 0U);  // while reading
  EXPECT_NE(sends(late.read(events(1, 2))), nullptr);
  ASSERT_NE(reads(late.taken()), nullptr);
  EXPECT_EQ(late.read(events(3, 2)).index(), 0U);
  EXPECT_EQ(late.committed(events(1, 2)).index(), 0U);
}

TEST(subscription_test, is_over_when_the_end_of_the_run_was_taken) {
  subscription last{event_seq{0}};
  static_cast<void>(last.joined());
  static_cast<void>(last.read(events(1, 0)));
  static_cast<void>(last.committed(events(1, 1, event_kind::run_completed)));
  EXPECT_FALSE(last.over());
  static_cast<void>(last.taken());
  EXPECT_TRUE(last.over());
}

// Any interleaving of commits, answers of the table and a slow subscriber: every number once, in order.
TEST(subscription_test, has_no_gap_and_no_double_in_any_order_of_events) {
  for (unsigned seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 chance{seed};
    const std::int64_t since = static_cast<std::int64_t>(chance() % 4);
    std::int64_t committed = since + static_cast<std::int64_t>(chance() % 3);
    subscription one{event_seq{since}};
    std::vector<std::int64_t> got;
    bool sending = false;
    std::deque<std::pair<std::int64_t, std::int64_t>> answers;  // since, what the table held at the question
    const auto carry_out = [&](const subscription::effect& does) {
      if (const auto* send = sends(does)) {
        ASSERT_FALSE(sending);
        sending = true;
        for (const auto& fact : *send->events) {
          got.push_back(fact.seq.value());
        }
      } else if (const auto* read = reads(does)) {
        answers.emplace_back(read->since.value(), committed);
      }
    };
    carry_out(one.joined());
    for (int step = 0; step < 60; ++step) {
      switch (chance() % 3) {
        case 0: {
          const std::int64_t first = committed + 1;
          committed += 1 + static_cast<std::int64_t>(chance() % 3);
          carry_out(one.committed(events(first, committed)));
          break;
        }
        case 1:
          if (sending) {
            sending = false;
            carry_out(one.taken());
          }
          break;
        default:
          if (!answers.empty()) {
            const auto [from, held] = answers.front();
            answers.pop_front();
            carry_out(one.read(events(from + 1, std::min(held, from + 2))));
          }
      }
    }
    while (sending || !answers.empty()) {
      if (sending) {
        sending = false;
        carry_out(one.taken());
      } else {
        const auto from = answers.front().first;
        answers.pop_front();
        carry_out(one.read(events(from + 1, committed)));
      }
    }
    ASSERT_EQ(got.size(), static_cast<std::size_t>(committed - since));
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i], since + 1 + static_cast<std::int64_t>(i));
    }
  }
}

}  // namespace
}  // namespace troupe
