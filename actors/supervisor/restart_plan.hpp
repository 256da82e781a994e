// What a supervisor does about its children: the brain. Strategies, restart types and intensity are those of Erlang/OTP
// (https://www.erlang.org/doc/apps/stdlib/supervisor.html); what is ours beside them is the pause before a restart, which
// is none at first.
#pragma once

#include "messages/supervision.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

/// Decides; does nothing. Times are points on any steady clock, in order. Children are told apart by their index, which
/// is their place in start order.
///
/// A restart of a group (one_for_all, rest_for_one) stops the others of the group one after the other, the last started
/// first, and then starts them in order. Temporary ones are stopped with their group, and not started again. A child of
/// the group that dies meanwhile would have been stopped anyway; the death of another is dealt with afterwards. A child
/// whose start fails has died: that counts as the next restart.
class restart_plan {
 public:
  using time = std::chrono::steady_clock::time_point;

  struct child {
    std::string name;
    restart_type type = restart_type::permanent;
  };

  restart_plan(std::vector<child> children, restart_intensity intensity, restart_strategy strategy);

  /// After the pause ask for due() with this number.
  struct restart {
    std::int64_t number;
    milliseconds pause;  ///< Zero at first, then growing with the restarts within the window.
  };

  /// Stop this child, and tell ended() when it is gone.
  struct stop_child {
    std::size_t index;
  };

  /// Nothing of the tree is left: end, for this reason. Empty: as asked.
  struct end_self {
    std::string why;
  };

  struct wait {};

  using effect = std::variant<wait, restart, stop_child, end_self>;

  /// The children to be started now, in order: of this restart, or (number 0) all of them, at first. None: meanwhile the
  /// supervisor stops. Tell started() or start_failed() of each, and nothing of the rest after one that failed.
  std::vector<std::size_t> due(std::int64_t number);

  /// The child runs.
  void started(std::size_t index);

  /// All that were due have been started.
  effect all_started(time at);

  /// At first that is the end: what has been started is stopped. Later it is a death like others.
  effect start_failed(std::size_t index, const std::string& reason, time at);

  /// The child ended, by itself or as it was asked; `reason` is empty for a normal end.
  effect ended(std::size_t index, const std::string& reason, time at);

  /// The supervisor itself is asked to stop: every child, in reverse order.
  effect stop();

  bool stopping() const noexcept { return stopping_; }

  /// In start order; without what only the children know.
  std::vector<child_view> view() const;

 private:
  struct entry {
    child what;
    child_state state = child_state::ended;
    std::int64_t starts = 0;
    std::string last_reason;
  };

  effect deal_with_death(std::size_t index, const std::string& reason, time at);
  effect begin_restart(std::size_t index, time at);
  effect stop_rest_of_group();
  effect stop_next(std::size_t first);
  effect next_death(time at);
  bool is_too_much(time at);
  milliseconds pause() const;

  std::vector<entry> children_;
  restart_intensity intensity_;
  restart_strategy strategy_;
  std::deque<time> recent_;  // restarts within the window, of all children: as OTP counts them
  std::int64_t restarts_ = 0;
  std::map<std::int64_t, std::vector<std::size_t>> awaited_;  // restarts that have not come due
  std::optional<std::size_t> group_;                          // being restarted: from this child on
  std::deque<std::pair<std::size_t, std::string>> deaths_;    // outside of the group, meanwhile
  bool stopping_ = false;
  std::string gave_up_;
};

}  // namespace troupe
