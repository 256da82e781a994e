// Reads committed rows for the other actors. Several of them share one pool of connections; whoever asks finds them behind
// one service.
//
// Owns      nothing. Blocks in SQLite and in the pool, so it has a thread of its own in production.
// 1.        Each answer is one short read transaction over a borrowed session: it never pins the WAL.
// 2.        It sees what was committed before the question was asked, whichever of them is asked.
// 3.        When it ends, connections that rest are closed: the writer ends last, and finds the file without readers.
// Bounded   by its clients, each of which has one question under way, and by the pool: a question that gets no
//           connection within `patience` is answered BACKPRESSURE.
// Dies of   a bug. Restarted by the root supervisor: permanent.
#pragma once

#include "actors/placement.hpp"
#include "messages/base/time.hpp"
#include "messages/interfaces/database_reader.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

class read_pool;

struct database_reader_deps {
  std::shared_ptr<read_pool> sessions;
  milliseconds patience{10'000};  ///< Well within what clients wait for an answer.
};

database_reader spawn_database_reader(caf::actor_system& system, database_reader_deps deps, placement where);

}  // namespace troupe
