// Supervision as in Erlang/OTP: who watches whom, and what happens when one dies.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class restart_type {
  permanent,  ///< Always restarted.
  transient,  ///< Restarted only after an abnormal end.
  temporary,  ///< Never restarted.
};

/// More than `count` restarts within `window`: the supervisor gives up, and its own supervisor decides.
struct restart_intensity {
  int count = 3;
  milliseconds window{5'000};
};

/// What is started again when a child dies that has to be. As in Erlang/OTP.
enum class restart_strategy {
  one_for_one,   ///< That child alone.
  one_for_all,   ///< All of them: the others are stopped first.
  rest_for_one,  ///< That child, and those that were started after it.
};

enum class child_state {
  running,
  stopping,    ///< Asked to end, for a stop or for a restart of its group.
  restarting,  ///< It will be started again.
  ended,       ///< Nobody starts it again.
};

std::string_view to_string(child_state state) noexcept;

/// One actor of the tree, as its supervisor and it itself know it.
struct child_view {
  std::string name;
  child_state state = child_state::running;
  std::int64_t restarts = 0;
  std::string last_reason;  ///< Of the last abnormal end; empty if there was none.

  // What it says itself; nothing of it where it did not answer in time.
  bool answers = false;
  milliseconds age{0};       ///< Since this life of it began.
  std::int64_t waiting = 0;  ///< Messages in its mailbox.
  step_id step;              ///< Of an agent; else empty.
  attempt_no attempt;        ///< Of an agent; else 0.
  std::int64_t pid = 0;      ///< Of an agent's process; 0: there is none.

  std::vector<child_view> children;  ///< In start order.
};

struct tree_view {
  std::vector<child_view> children;  ///< Of the root supervisor, in start order.
};

/// The first of that name among them and all below; null: there is none. Lives as long as `children` do.
const child_view* find_child(const std::vector<child_view>& children, std::string_view name) noexcept;

/// A supervisor to itself: the children of this restart are to be started now.
struct restart_due {
  std::int64_t number = 0;  ///< Of the restart.
};

/// A supervisor to itself: the child did not stop in time.
struct stop_overdue {
  std::string name;
  std::int64_t life = 0;  ///< Of the child; a later one is meant no more.
};

}  // namespace troupe
