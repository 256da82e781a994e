// Keeps the database file small: asks the writer for short slices of work while nobody else does.
//
// Owns      the plan of the pass under way. What it is doing is lost with it, and found again in the file: pages that
//           were given back stay so, the others are still free.
// 1.        One thing is asked for at a time; a writer or reader that does not answer in time is an error like others.
// 2.        Whoever asks for a pass is answered: with its report, or with why there is none.
// 3.        At rest it asks for the size of the file every check_every, and for nothing else.
// Bounded   by one slice under way; who asks for a pass shares it.
// Dies of   a bug. Restarted by the supervisor of housekeeping, whose own end ends nothing else.
#pragma once

#include "actors/service.hpp"
#include "actors/vacuum/vacuum_plan.hpp"
#include "messages/base/time.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/database_writer.hpp"
#include "messages/interfaces/vacuum.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

struct vacuum_deps {
  service<database_writer> writer;
  service<database_reader> reader;
  std::shared_ptr<const clock_port> clock;
  vacuum_rules rules;
};

vacuum_actor spawn_vacuum(caf::actor_system& system, vacuum_deps deps);

}  // namespace troupe
