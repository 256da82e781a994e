// Signals as something that the main thread waits for, together with news from other threads. No handler ever runs.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <csignal>
#include <initializer_list>
#include <optional>

namespace troupe {

/// The place where the main thread waits. Make it before any other thread is started: those inherit the blocked
/// signals, so that each of them comes here and nowhere else.
///
/// A signal that the process was started with as ignored stays ignored (nohup; a shell's background jobs).
class signal_watch {
 public:
  /// INTERNAL where the system refuses a descriptor.
  static result<signal_watch> of(std::initializer_list<int> signals);

  signal_watch(signal_watch&& other) noexcept;
  signal_watch& operator=(signal_watch&&) = delete;
  ~signal_watch();  ///< The signals do again what they did before; one that is still waiting is forgotten.

  /// Ends the wait of the other thread, or its next one. Any thread; does not block.
  void wake() const noexcept;

  /// A signal that came; nothing when woken or after `at_most`. One thread.
  std::optional<int> wait(milliseconds at_most) const;

 private:
  signal_watch() = default;

  int signals_ = -1;  ///< signalfd
  int wakes_ = -1;    ///< eventfd
  sigset_t before_{};
  sigset_t watched_{};
};

/// Stops this process as Ctrl-Z does, until somebody continues it. For a process that watches SIGTSTP itself.
void stop_until_continued() noexcept;

}  // namespace troupe
