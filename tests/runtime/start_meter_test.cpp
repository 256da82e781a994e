#include "runtime/os/start_meter.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

start_meter::time at(std::int64_t ms) { return start_meter::time{} + milliseconds{ms}; }

void start(start_meter& meter, const std::string& agent, std::int64_t took_ms) {
  meter.asked("r", at(0));
  meter.started(agent, "r", at(0), at(took_ms));
}

TEST(start_meter_test, knows_nothing_at_first) {
  const auto view = start_meter{}.view();
  EXPECT_TRUE(view.agents.empty());
  EXPECT_EQ(view.batches.starts, 0);
  EXPECT_EQ(view.batches.p95, microseconds{0});
}

TEST(start_meter_test, gives_the_median_and_the_95th_of_each_agent) {
  start_meter meter;
  for (int ms = 1; ms <= 100; ++ms) {
    start(meter, "a", ms);
  }
  start(meter, "b", 7);
  const auto view = meter.view();
  ASSERT_EQ(view.agents.size(), 2U);
  EXPECT_EQ(view.agents[0].agent, "a");
  EXPECT_EQ(view.agents[0].starts, 100);
  EXPECT_EQ(view.agents[0].p50, milliseconds{50});
  EXPECT_EQ(view.agents[0].p95, milliseconds{95});
  EXPECT_EQ(view.agents[1].p50, milliseconds{7});
  EXPECT_EQ(view.agents[1].p95, milliseconds{7});
}

TEST(start_meter_test, old_starts_are_counted_and_not_measured) {
  start_meter meter;
  for (int i = 0; i < 1'000; ++i) {
    start(meter, "a", 1'000);
  }
  for (int i = 0; i < 256; ++i) {
    start(meter, "a", 2);
  }
  const auto view = meter.view();
  EXPECT_EQ(view.agents[0].starts, 1'256);
  EXPECT_EQ(view.agents[0].p95, milliseconds{2});
}

TEST(start_meter_test, failures_are_counted_apart) {
  start_meter meter;
  meter.asked("r", at(0));
  meter.failed("a", "r", at(5));
  start(meter, "a", 3);
  const auto view = meter.view();
  EXPECT_EQ(view.agents[0].starts, 1);
  EXPECT_EQ(view.agents[0].failures, 1);
  EXPECT_EQ(view.agents[0].p95, milliseconds{3});
}

TEST(start_meter_test, a_batch_is_what_is_under_way_together) {
  start_meter meter;
  start(meter, "a", 1);  // alone: no batch
  meter.asked("r", at(10));
  meter.asked("other", at(10));
  meter.asked("r", at(11));
  meter.started("a", "r", at(10), at(12));
  meter.asked("r", at(13));
  meter.started("b", "r", at(11), at(20));
  EXPECT_EQ(meter.view().batches.starts, 0) << "one is still under way";
  meter.started("c", "r", at(13), at(30));
  meter.started("a", "other", at(10), at(99));
  const auto batches = meter.view().batches;
  EXPECT_EQ(batches.starts, 1);
  EXPECT_EQ(batches.p50, milliseconds{20});
  meter.asked("r", at(40));
  meter.asked("r", at(40));
  meter.failed("a", "r", at(41));
  meter.started("b", "r", at(40), at(42));
  EXPECT_EQ(meter.view().batches.starts, 1);
  EXPECT_EQ(meter.view().batches.failures, 1);
}

TEST(start_meter_test, is_bounded_by_a_thousand_names) {
  start_meter meter;
  for (int i = 0; i < 3'000; ++i) {
    start(meter, "agent" + std::to_string(i), 1);
  }
  const auto view = meter.view();
  EXPECT_EQ(view.agents.size(), 1'001U);
  EXPECT_EQ(view.agents.back().agent, "others");
  EXPECT_EQ(view.agents.back().starts, 2'000);
}

TEST(start_meter_test, a_start_of_nobody_is_not_counted) {
  start_meter meter;
  meter.asked("", at(0));
  meter.started("", "", at(0), at(1));
  EXPECT_TRUE(meter.view().agents.empty());
}

}  // namespace
}  // namespace troupe
