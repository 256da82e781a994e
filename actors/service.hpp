// Where to find an actor that may be restarted under a new handle.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace troupe {

/// A name for one long-lived actor. Its supervisor writes the handle at each (re)start, its clients read it for each
/// message, so that nobody holds the handle of a dead actor for long. Copies name the same actor. Any thread.
template <class Handle>
class service {
 public:
  service() : slot_(std::make_shared<slot>()) {}

  /// Null before the first start and after the node has stopped.
  Handle get() const {
    const std::scoped_lock lock{slot_->guard};
    return slot_->handle;
  }

  void set(Handle handle) const {
    const std::scoped_lock lock{slot_->guard};
    slot_->handle = std::move(handle);
  }

 private:
  struct slot {
    std::mutex guard;
    Handle handle;
  };
  std::shared_ptr<slot> slot_;
};

}  // namespace troupe
