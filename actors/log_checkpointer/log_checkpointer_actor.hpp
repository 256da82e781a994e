// Moves the log into the database, so that commits need not (their p99 is made of checkpoints otherwise).
//
// Owns      a connection that can write no row. Blocks on the disk, so it has a thread of its own in production.
// 1.        It is asked by the writer, one question at a time, when the log has grown by so many pages.
// 2.        As long as the log is short it keeps neither a commit nor a reader waiting. A log that is always read never
//           begins anew by itself: from `anew_pages` on the node's readers pause for it, and commits wait for a moment.
// 3.        Where somebody else's reader is in the way, it tries again when the log is twice as long.
// 4.        A checkpoint that fails loses nothing: it is logged, and the next one has a fresh connection.
// Bounded   by the one question of the writer.
// Dies of   a bug. Restarted by the root supervisor: permanent. Without it the writer moves the log itself, later.
#pragma once

#include "actors/placement.hpp"
#include "messages/base/result.hpp"
#include "messages/interfaces/log_checkpointer.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace troupe {

class log_checkpoint;
class read_pool;

struct log_checkpointer_deps {
  std::function<result<std::unique_ptr<log_checkpoint>>()> open;  ///< On its thread, before the first checkpoint.
  std::shared_ptr<read_pool> readers;                             ///< Of the node; null: there are none to pause.
  std::int64_t anew_pages = 4'000;                                ///< Of the log.
};

log_checkpointer spawn_log_checkpointer(caf::actor_system& system, log_checkpointer_deps deps, placement where);

}  // namespace troupe
