// Who answered when, and whose regular work gets done: the brain of the health actor.
#pragma once

#include "messages/health.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

/// Of a fixed list of actors, told apart by their index, and of jobs, told apart by their name.
class health_record {
 public:
  /// What is worth a line of the log.
  enum class news {
    none,
    lost,  ///< It was well until now.
    back,  ///< It is well again.
  };

  explicit health_record(const std::vector<std::string>& actors);

  /// A round of questions begins.
  void begin(timestamp at) { view_.looked_at = at; }

  news answered(std::size_t index, timestamp at, std::chrono::microseconds latency, std::int64_t waiting);

  /// Not within the limit.
  news silent(std::size_t index);

  /// What a job says of itself.
  news told(const job_health& job);

  const health_view& view() const noexcept { return view_; }

 private:
  health_view view_;
};

}  // namespace troupe
