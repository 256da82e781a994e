#include "actors/write_credit.hpp"

#include <deque>
#include <mutex>
#include <utility>

namespace troupe {

struct write_credit::places : std::enable_shared_from_this<places> {
  explicit places(std::size_t depth) : free(depth) {}

  write_place hand_out() {
    return {static_cast<const void*>(this), [self = shared_from_this()](const void*) { self->take_back(); }};
  }

  void take_back() {
    std::unique_lock lock{guard};
    ++free;
    serve(lock);
  }

  // A place that is dropped at once (its taker had died) comes back in the middle of this: it is served by the loop, not
  // by a call within the call.
  void serve(std::unique_lock<std::mutex>& lock) {
    if (std::exchange(is_serving, true)) {
      return;
    }
    while (free > 0 && !queue.empty()) {
      --free;
      auto go = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      go(hand_out());
      lock.lock();
    }
    is_serving = false;
  }

  std::mutex guard;
  std::size_t free;
  bool is_serving = false;
  std::deque<std::function<void(write_place)>> queue;
};

write_credit::write_credit(std::size_t depth) : shared_(std::make_shared<places>(depth)) {}

write_place write_credit::take() const {
  {
    const std::scoped_lock lock{shared_->guard};
    if (shared_->free == 0 || !shared_->queue.empty()) {
      return nullptr;
    }
    --shared_->free;
  }
  return shared_->hand_out();
}

void write_credit::wait(std::function<void(write_place)> go) const {
  std::unique_lock lock{shared_->guard};
  shared_->queue.push_back(std::move(go));
  shared_->serve(lock);
}

std::size_t write_credit::waiting() const {
  const std::scoped_lock lock{shared_->guard};
  return shared_->queue.size();
}

}  // namespace troupe
