// Wakes runs when the time of a retry, or of a quota, has come.
//
// Owns      who waits for what, and one timer. Nothing durable: each wait is a row of its run, which asks again after a
//           restart, of the process or of this actor.
// 1.        Nobody is answered before the time of day that he waits for, and everybody within longest_sleep after it,
//           whatever the clock did meanwhile: it may have been set, the machine may have slept.
// 2.        A question that was asked again, or forgotten, is not answered.
// 3.        Whoever waits when it dies is answered with an error at once.
// 4.        One timer is armed, however many wait; none when nobody does.
// Bounded   by the tasks of live runs: one wait for each, some 400 bytes. Does not block.
// Dies of   a bug. Restarted by the root supervisor: permanent.
#pragma once

#include "messages/base/time.hpp"
#include "messages/interfaces/retry_scheduler.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

struct retry_scheduler_deps {
  std::shared_ptr<const clock_port> clock;
  /// The clock is looked at so often while somebody waits: what is due is found by the time of day, not by a timer.
  milliseconds longest_sleep{30'000};
};

retry_scheduler spawn_retry_scheduler(caf::actor_system& system, retry_scheduler_deps deps);

}  // namespace troupe
