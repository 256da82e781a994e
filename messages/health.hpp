// Whether the long-lived actors of a node answer, and whether its regular work gets done (requirement SV-5).
#pragma once

#include "messages/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct actor_health {
  std::string name;
  bool well = true;                      ///< False: it has not answered the newest question within the limit.
  std::optional<timestamp> last_answer;  ///< None: it never answered.
  std::chrono::microseconds latency{0};  ///< Of that answer.
  std::int64_t waiting = 0;              ///< Messages in its mailbox then.
};

/// Work that is due again and again, as vacuum is.
struct job_health {
  std::string name;
  bool well = true;  ///< False: the last success is older than two periods.
  std::optional<timestamp> last_success;
};

/// To the health actor.
struct health_query {};

struct health_view {
  std::optional<timestamp> looked_at;  ///< Of the newest round that was begun; none: not yet.
  std::vector<actor_health> actors;    ///< In the order in which they are asked.
  std::vector<job_health> jobs;

  /// Every actor and every job is well.
  bool healthy() const noexcept;
};

}  // namespace troupe
