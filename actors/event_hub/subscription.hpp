// How one subscriber gets every event of a run once, however slow it is and whenever it joined.
#pragma once

#include "messages/event.hpp"

#include <optional>
#include <variant>

namespace troupe {

/// The brain of the event hub, one for each subscriber. It never holds events: a subscriber that is not ready when they
/// are published is served from the table when it is, so memory is bounded by construction.
///
/// Invariants: a batch is sent only when the one before it was taken; batches are contiguous; what was sent is never
/// sent again.
class subscription {
 public:
  explicit subscription(event_seq since) : delivered_(since) {}

  struct send_batch {
    event_batch_ptr events;
  };

  /// Ask the table for events after this number; answer with read().
  struct read_table {
    event_seq since;
  };

  /// Nothing to do, or one of the two.
  using effect = std::variant<std::monostate, send_batch, read_table>;

  /// The subscriber has joined. Its first events come from the table.
  effect joined();

  /// Events of this run have been committed: contiguous, in order, not empty.
  effect committed(event_batch_ptr events);

  /// The subscriber has taken the last batch.
  effect taken();

  /// What the table said to read_table: contiguous after `since`, empty if there is nothing newer.
  effect read(event_batch_ptr events);

  /// The table could not be read: ask again.
  effect read_failed();

  /// Progress is passed on only to a subscriber that waits for nothing.
  bool idle() const noexcept { return doing_ == activity::idle; }

  /// The run has ended and the subscriber has taken all of it.
  bool over() const noexcept { return ended_ && idle(); }

 private:
  enum class activity { idle, sending, reading };

  effect send(event_batch_ptr events);
  effect read_more();

  activity doing_ = activity::idle;
  event_seq delivered_;
  bool behind_ = false;  // events were committed that this subscriber has not been sent
  bool ended_ = false;
};

}  // namespace troupe
