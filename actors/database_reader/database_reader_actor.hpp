// Reads committed rows for the other actors.
//
// Owns      one read-only session. Blocks in SQLite, so it has a thread of its own in production.
// 1.        Each answer is one short read transaction: it never pins the WAL.
// 2.        It sees what was committed before the question was asked.
// Bounded   by its clients: each has one question under way.
// Dies of   a bug. Restarted by the root supervisor: permanent.
#pragma once

#include "actors/placement.hpp"
#include "messages/base/result.hpp"
#include "messages/interfaces/database_reader.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace troupe {

class read_session;

struct database_reader_deps {
  std::function<result<std::unique_ptr<read_session>>()> open;  ///< Called once in each life, on its thread.
};

database_reader spawn_database_reader(caf::actor_system& system, database_reader_deps deps, placement where);

}  // namespace troupe
