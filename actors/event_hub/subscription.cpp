#include "actors/event_hub/subscription.hpp"

#include "messages/base/invariant.hpp"

#include <utility>

namespace troupe {

subscription::effect subscription::send(event_batch_ptr events) {
  invariant(events->front().seq.value() == delivered_.value() + 1, "event batches are contiguous");
  delivered_ = events->back().seq;
  ended_ = ends_run(events->back().kind);
  doing_ = activity::sending;
  return send_batch{std::move(events)};
}

subscription::effect subscription::read_more() {
  behind_ = false;
  doing_ = activity::reading;
  return read_table{delivered_};
}

subscription::effect subscription::joined() { return read_more(); }

subscription::effect subscription::committed(event_batch_ptr events) {
  if (events->back().seq <= delivered_) {
    return {};  // came from the table already
  }
  if (doing_ != activity::idle) {
    behind_ = true;
    return {};
  }
  if (events->front().seq.value() == delivered_.value() + 1) {
    return send(std::move(events));
  }
  return read_more();
}

subscription::effect subscription::taken() {
  doing_ = activity::idle;
  if (behind_) {
    return read_more();
  }
  return {};
}

subscription::effect subscription::read(event_batch_ptr events) {
  doing_ = activity::idle;
  if (!events->empty()) {
    behind_ = true;  // there may be more than one answer holds
    return send(std::move(events));
  }
  if (behind_) {
    return read_more();
  }
  return {};
}

subscription::effect subscription::read_failed() { return read_more(); }

}  // namespace troupe
