// What an agent actor needs of the operating system: child processes whose whole tree is one thing.
// Implemented by runtime/os (custodian and reactor) and, in tests of the actor, by a scripted fake.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

using process_handle = std::uint64_t;  ///< Of one port, never reused; 0 is none.

struct process_request {
  std::vector<std::string> argv;  ///< At least the program; looked up in the PATH of `environment`. Never a shell.
  std::vector<std::string> environment;               ///< `NAME=value`; the child sees nothing else.
  std::string working_directory;                      ///< Empty: that of the host.
  std::shared_ptr<const std::string> standard_input;  ///< Bytes; null is an empty input. Written while output is read.
  std::size_t output_limit = 16U << 20U;              ///< Bytes kept of each of stdout and stderr.
  std::string key;  ///< Not empty: one live process for each key; this start waits for the death of the one before it.
  std::string agent;  ///< Whose start it is, and
  std::string group;  ///< which starts belong together: for the figures of starts only. Empty: not counted.
};

/// Written on the pid's row, so that a later owner of the database can tell this process from one that reuses the pid.
struct process_identity {
  std::int64_t pid = 0;         ///< Also the process group.
  std::int64_t start_time = 0;  ///< Field 22 of /proc/PID/stat: clock ticks since boot (proc(5)).
};

/// How the leader ended. Exactly one of the three is set.
struct process_exit {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::optional<error> start_failure;  ///< It never ran: agent_not_found, or internal with the system's words.
};

struct process_usage {
  std::chrono::microseconds cpu_time{0};  ///< User and system, of the whole tree.
  std::int64_t resident_bytes_max = 0;
};

/// A tree that prints nothing, as it was found at one look.
struct process_silence {
  milliseconds length{0};                   ///< Since the last byte of either stream, or since the start.
  std::chrono::microseconds cpu_time{0};    ///< Of the whole tree, since its start.
  std::chrono::microseconds cpu_recent{0};  ///< The part of it used in `window`.
  milliseconds window{0};                   ///< Since the look before this one, or since the start.
};

/// All that is known when nothing of the tree is left and both pipes are at end of file.
struct process_end {
  process_exit exit;
  process_usage usage;
  std::string standard_output;  ///< Bytes as they came; the first output_limit of them.
  std::string standard_error;
  std::int64_t standard_output_bytes = 0;  ///< How many came in all; more than the size when the head alone is kept.
  std::int64_t standard_error_bytes = 0;
  std::optional<timestamp> first_output_at;  ///< When the first byte of either stream was read.
  std::optional<timestamp> last_output_at;
  bool tree_gone = true;        ///< False only if the custodian died before it could say so.
  bool custodian_lost = false;  ///< The attempt was ended because the custodian died: the task was interrupted.
};

/// Called on the reactor's thread, in this order, each at most once but `progress` and `silent`; none after `ended`.
/// A callback must not block and must not call back into the port's destructor.
struct process_listener {
  std::function<void(process_identity)> started;
  /// The newest whole line of stdout or stderr and the bytes of both so far; at most one per 50 ms and process.
  std::function<void(std::string last_line, std::int64_t bytes)> progress;
  /// It has printed nothing for a second or more: at most once a second, the longer it lasts the more seldom (10 s).
  std::function<void(process_silence)> silent;
  std::function<void()> output_limit_reached;  ///< Either stream went over; reading goes on, what comes is dropped.
  std::function<void(process_exit)> exited;    ///< The leader is gone; pipes may still be open.
  std::function<void(process_end)> ended;      ///< Always comes, exactly once, also when the start failed.
};

class process_port {
 public:
  virtual ~process_port() = default;

  /// Any thread; does not block. What goes wrong comes through `ended`.
  virtual process_handle start(process_request what, process_listener listener) = 0;

  /// SIGTERM to the whole tree. Any thread; does not block; an unknown or ended handle is ignored.
  virtual void terminate(process_handle which) = 0;

  /// SIGKILL until no descendant of any depth is left, and the pipes are closed. Any thread; does not block; an
  /// unknown or ended handle is ignored. `ended` follows. Called by the agent actor also after a normal exit, when
  /// a grandchild holds a pipe longer than drain_grace.
  virtual void kill(process_handle which) = 0;
};

}  // namespace troupe
