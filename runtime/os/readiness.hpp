// Waiting for many descriptors at once.
#pragma once

#include "messages/base/time.hpp"
#include "runtime/os/file_descriptor.hpp"

#include <vector>

namespace troupe {

/// epoll, level-triggered, and an eventfd to end a wait. Owns none of the descriptors that it watches.
class readiness {
 public:
  enum class interest { read, write, both };

  struct event {
    int descriptor;
    bool readable;
    bool writable;
    bool failed;  ///< Hung up, or in error.
  };

  readiness();

  /// From now on, in place of what was said of this descriptor before. One that is closed is forgotten by the kernel.
  void watch(int descriptor, interest in);
  void forget(int descriptor);

  /// Blocks until something is ready, somebody wakes it, or `at_most` is over. Valid until the next call.
  const std::vector<event>& wait(milliseconds at_most);

  /// Ends the wait under way, or the next one. Any thread; everything else is for one thread.
  void wake_up() const noexcept;

 private:
  file_descriptor epoll_;
  file_descriptor wake_up_;
  std::vector<event> events_;
};

}  // namespace troupe
