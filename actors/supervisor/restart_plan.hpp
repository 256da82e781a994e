// What a supervisor does about its children: the brain, one_for_one as in Erlang/OTP.
#pragma once

#include "messages/supervision.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// Decides; does nothing. Times are points on any steady clock, in order. Children are told apart by their index, which
/// is their place in start order.
class restart_plan {
 public:
  using time = std::chrono::steady_clock::time_point;

  struct child {
    std::string name;
    restart_type type = restart_type::permanent;
  };

  restart_plan(std::vector<child> children, restart_intensity intensity);

  /// Start this child after the pause (zero at first, then growing with the restarts within the window).
  struct start_child {
    std::size_t index;
    milliseconds pause;
  };

  /// Stop this child, and tell stopped() or ended() when it is gone. One at a time, the last started first.
  struct stop_child {
    std::size_t index;
  };

  /// Nothing of the tree is left: end, for this reason. Empty: as asked.
  struct end_self {
    std::string why;
  };

  struct wait {};

  using effect = std::variant<wait, start_child, stop_child, end_self>;

  /// The child runs.
  void started(std::size_t index);

  /// The child ended by itself; `reason` is empty for a normal end.
  effect ended(std::size_t index, const std::string& reason, time at);

  /// The supervisor itself is asked to stop: every child, in reverse order.
  effect stop();

  bool stopping() const noexcept { return stopping_; }
  tree_view view() const;

 private:
  struct entry {
    child what;
    bool alive = false;
    std::int64_t restarts = 0;
    std::string last_reason;
  };

  effect stop_next();
  effect restart(std::size_t index, time at);

  std::vector<entry> children_;
  restart_intensity intensity_;
  std::deque<time> recent_;  // restarts within the window, of all children: as OTP counts them
  bool stopping_ = false;
  std::string gave_up_;
};

}  // namespace troupe
