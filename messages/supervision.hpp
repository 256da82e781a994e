// Supervision as in Erlang/OTP: who watches whom, and what happens when one dies.
#pragma once

#include "messages/base/time.hpp"

#include <cstdint>
#include <string>
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

struct child_view {
  std::string name;
  bool alive = false;
  std::int64_t restarts = 0;
  std::string last_reason;  ///< Of the last abnormal end; empty if there was none.
};

struct tree_query {};

struct tree_view {
  std::vector<child_view> children;  ///< In start order.
};

/// A supervisor to itself: the child's turn to be started again.
struct restart_child {
  std::string name;
};

/// A supervisor to itself: the child did not stop in time.
struct stop_overdue {
  std::string name;
};

}  // namespace troupe
