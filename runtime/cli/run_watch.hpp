// What a node tells about one run, brought from its threads to the one that waits for signals.
#pragma once

#include "messages/base/error.hpp"
#include "messages/event.hpp"
#include "runtime/node.hpp"
#include "runtime/os/signals.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct run_news {
  event_batch events;                   ///< In order.
  std::vector<task_progress> progress;  ///< The newest of each task.
  std::optional<error> stopped;         ///< The run cannot go on.
  std::vector<std::string> log_lines;   ///< Of this process, each with its line break.
};

/// Shared with the node, which may outlive the one who asked.
class run_watch : public std::enable_shared_from_this<run_watch> {
 public:
  /// `waiting` outlives the node.
  explicit run_watch(const signal_watch& waiting) : waiting_(waiting) {}

  run_listener listener();

  /// A line of the log, to be shown with the rest. Any thread.
  void log(std::string_view line);

  /// All that came since the last call.
  run_news take();

 private:
  void add(const event_batch& events);
  void add(const task_progress& progress);
  void add(const error& why);

  const signal_watch& waiting_;
  std::mutex guard_;
  run_news news_;
};

}  // namespace troupe
