// Answers on their way to the disk.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "actors/log_place.hpp"
#include "runtime/cassettes/cassette.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe {

/// Writes one answer after the other, on a thread of its own, so that no agent waits for a sync. Who records while
/// `waiting_max` wait for the disk waits with them. An error is logged at the place of its attempt, and the next answer is
/// tried all the same.
class recording_thread final : public answer_recorder {
 public:
  using writer = std::function<status(const cassette&)>;

  static constexpr std::size_t waiting_max = 16;  ///< Each may have two streams of output_limit.

  explicit recording_thread(writer write);
  /// Returns when everything is written.
  ~recording_thread() override;
  recording_thread(const recording_thread&) = delete;
  recording_thread& operator=(const recording_thread&) = delete;

  void record(const attempt_order& order, const recorded_answer& answer) override;

 private:
  struct entry {
    log_place place;
    cassette what;
  };

  void run();

  writer write_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::deque<entry> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace troupe
