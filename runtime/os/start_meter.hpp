#pragma once

#include "messages/starts.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// Durations of starts, for each agent and each batch: the newest of them, and how many there were. Times are given.
/// Bounded: 256 durations for each of the first 1,000 agents; later ones are counted under the name `others`.
class start_meter {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// A start of `group` is asked for. An empty group is in no batch.
  void asked(const std::string& group, time at);
  /// One that was asked for runs.
  void started(const std::string& agent, const std::string& group, time asked, time at);
  /// One that was asked for does not.
  void failed(const std::string& agent, const std::string& group, time at);

  starts_view view() const;

 private:
  struct record {
    std::int64_t starts = 0;
    std::int64_t failures = 0;
    std::vector<std::chrono::microseconds> newest;  // a ring: the next goes to newest[starts % size]
  };
  struct batch {
    time first_asked;
    std::size_t under_way = 0;
    std::size_t size = 0;
    std::size_t failures = 0;
  };

  static void add(record& to, std::chrono::microseconds took);
  static start_figures figures(const std::string& agent, const record& from);
  record& record_of(const std::string& agent);
  void settle(const std::string& group, time at, std::size_t failures);

  std::map<std::string, record> agents_;
  std::map<std::string, batch> under_way_;
  record batches_;
};

}  // namespace troupe
