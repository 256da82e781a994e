#include "runtime/cassettes/recording_thread.hpp"

#include "tests/support/processes.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

attempt_order asked(int which) {
  attempt_order order;
  order.task.step = step_id{"s" + std::to_string(which)};
  order.attempt = attempt_no{1};
  return order;
}

TEST(recording_thread_test, writes_in_order_and_to_its_end_on_a_thread_of_its_own) {
  std::vector<std::string> written;
  std::thread::id by;
  {
    recording_thread recorder{[&](const cassette& what) {
      written.push_back(what.asked.place.step.str());
      by = std::this_thread::get_id();
      return status{done};
    }};
    for (int i = 0; i < 10; ++i) {
      recorder.record(asked(i), {});
    }
  }
  EXPECT_EQ(written, (std::vector<std::string>{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"}));
  EXPECT_NE(by, std::this_thread::get_id());
}

TEST(recording_thread_test, who_records_waits_where_the_disk_does_not_keep_up) {
  std::promise<void> disk;
  std::promise<void> at_work;
  std::atomic<std::size_t> recorded = 0;
  std::atomic<std::size_t> written = 0;
  auto recorder = std::make_unique<recording_thread>([&, ready = disk.get_future().share()](const cassette&) {
    if (written++ == 0) {
      at_work.set_value();
    }
    ready.wait();
    return status{done};
  });
  recorder->record(asked(0), {});
  at_work.get_future().wait();  // it is with the disk, and no longer waits
  constexpr auto more = recording_thread::waiting_max + 5;
  std::thread agent{[&] {
    for (std::size_t i = 1; i <= more; ++i) {
      recorder->record(asked(static_cast<int>(i)), {});
      ++recorded;
    }
  }};
  EXPECT_TRUE(becomes_true([&] { return recorded == recording_thread::waiting_max; }));
  EXPECT_FALSE(becomes_true([&] { return recorded > recording_thread::waiting_max; }, std::chrono::milliseconds{50}));
  disk.set_value();
  agent.join();
  recorder.reset();
  EXPECT_EQ(written, more + 1);
}

TEST(recording_thread_test, an_error_ends_nothing) {
  std::vector<std::string> written;
  {
    recording_thread recorder{[&](const cassette& what) {
      written.push_back(what.asked.place.step.str());
      return written.size() == 1 ? status{error{error_code::storage_full, "no room", ""}} : status{done};
    }};
    recorder.record(asked(1), {});
    recorder.record(asked(2), {});
  }
  EXPECT_EQ(written.size(), 2U);
}

}  // namespace
}  // namespace troupe
