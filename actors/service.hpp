// Where to find an actor that may be restarted under a new handle.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

/// A name for one long-lived actor, or for several that do the same. Its supervisor writes the handle at each (re)start,
/// its clients read it for each message, so that nobody holds the handle of a dead actor for long. Copies name the same.
/// Any thread.
template <class Handle>
class service {
 public:
  service() : slot_(std::make_shared<slot>()) {}

  /// Of several, each in its turn. Null before the first start and after the node has stopped.
  Handle get() const {
    const std::scoped_lock lock{slot_->guard};
    for (std::size_t tries = slot_->handles.size(); tries > 0; --tries) {
      const auto& next = slot_->handles[slot_->turn++ % slot_->handles.size()];
      if (next) {
        return next;
      }
    }
    return {};
  }

  /// That one of several, counted from 0; null where there is none.
  Handle get_one(std::size_t which) const {
    const std::scoped_lock lock{slot_->guard};
    return which < slot_->handles.size() ? slot_->handles[which] : Handle{};
  }

  /// The only one from now on.
  void set(Handle handle) const {
    const std::scoped_lock lock{slot_->guard};
    slot_->handles.assign(1, std::move(handle));
  }

  /// One of several, counted from 0.
  void set_one(std::size_t which, Handle handle) const {
    const std::scoped_lock lock{slot_->guard};
    if (slot_->handles.size() <= which) {
      slot_->handles.resize(which + 1);
    }
    slot_->handles[which] = std::move(handle);
  }

 private:
  struct slot {
    std::mutex guard;
    std::vector<Handle> handles;
    std::size_t turn = 0;
  };
  std::shared_ptr<slot> slot_;
};

}  // namespace troupe
