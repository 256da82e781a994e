// The one actor that writes.
//
// Owns      the only write session. Blocks in SQLite, so it has a thread of its own in production.
// 1.        Commands that wait together are committed together; one alone is committed at once.
// 2.        A bad command fails alone; a failed COMMIT fails the whole batch, and nothing of it is there.
// 3.        Nobody is answered, and nothing is published, before the COMMIT that holds it.
// 4.        Events leave in commit order.
// 5.        After a failed COMMIT or an error of the disk nothing is written by that session any more: the batch is
//           answered with the error, and what comes next is written by a fresh session that has read the rows anew. The
//           senders ask again under the same key. While no session can be opened (the disk is full, say) everybody is
//           told so, and nobody is restarted for it.
// 6.        Whoever waits when it dies gets an answer: `request_receiver_down`.
// 7.        Checkpoints are the log checkpointer's, as long as it keeps up.
// 8.        Maintenance (maintenance.hpp) is carried out between batches, and refused while a command waits, unless it is
//           its turn; its errors are the session's, as in 5.
// 9.        A command with a large output is queued when the blob writer has made a file of it; others do not wait
//           meanwhile. Where that fails, the sender gets the error.
// 10.       A run whose commands begin to wait for their turn is told so with the next batch, however long the queue is:
//           the first of them goes before the others.
// Bounded   by `queue_depth` waiting commands (actors/write_credit.hpp), those with the blob writer included; more are
//           answered BACKPRESSURE at once.
// Dies of   a bug. Restarted by the root supervisor: permanent.
#pragma once

#include "actors/placement.hpp"
#include "actors/service.hpp"
#include "messages/base/result.hpp"
#include "messages/interfaces/blob_writer.hpp"
#include "messages/interfaces/database_writer.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/log_checkpointer.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace troupe {

class crash_orders;
class write_session;

/// Time for batches to gather (gathering.hpp). Left out, a batch is what waits.
struct gathering_port {
  std::chrono::microseconds pause{0};
  std::function<std::chrono::microseconds()> now;  ///< Only forward.
  std::function<void()> sleep;                     ///< About a pause; it may block, as SQLite does.
};

struct database_writer_deps {
  std::function<result<std::unique_ptr<write_session>>()> open;  ///< Called in each life, and after errors of the disk.
  service<event_hub> hub;
  service<log_checkpointer> checkpointer;
  std::size_t batch_max = 512;
  std::size_t queue_depth = 4096;
  std::int64_t checkpoint_pages = 1'000;  ///< Of the log, after which the checkpointer is asked.
  std::optional<gathering_port> gather;
  service<blob_writer> blobs;
  std::size_t inline_limit = std::size_t{256} << 10U;  ///< Bytes; a larger stream goes to `blobs` first.
  std::shared_ptr<crash_orders> crashes = nullptr;     ///< Null: none. Asked around each COMMIT that ends attempts.
};

database_writer spawn_database_writer(caf::actor_system& system, database_writer_deps deps, placement where);

}  // namespace troupe
