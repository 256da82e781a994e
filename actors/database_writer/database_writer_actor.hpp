// The one actor that writes.
//
// Owns      the only write session. Blocks in SQLite, so it has a thread of its own in production.
// 1.        Commands that wait together are committed together; one alone is committed at once.
// 2.        A bad command fails alone; a failed COMMIT fails the whole batch, and nothing of it is there.
// 3.        Nobody is answered, and nothing is published, before the COMMIT that holds it.
// 4.        Events leave in commit order.
// 5.        After a storage error that the session does not survive it refuses all that waits and ends; its
//           supervisor starts another on a fresh connection, and the senders ask again under the same key.
// 6.        Whoever waits when it dies gets an answer: `request_receiver_down`.
// Bounded   by `queue_depth` waiting commands: more are answered BACKPRESSURE at once.
// Dies of   a broken session, or a bug. Restarted by the root supervisor: permanent.
#pragma once

#include "actors/placement.hpp"
#include "actors/service.hpp"
#include "messages/base/result.hpp"
#include "messages/interfaces/database_writer.hpp"
#include "messages/interfaces/event_hub.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace troupe {

class write_session;

struct database_writer_deps {
  std::function<result<std::unique_ptr<write_session>>()> open;  ///< Called once in each life, on its thread.
  service<event_hub> hub;
  std::size_t batch_max = 512;
  std::size_t queue_depth = 4096;
};

database_writer spawn_database_writer(caf::actor_system& system, database_writer_deps deps, placement where);

}  // namespace troupe
