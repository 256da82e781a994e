// Starts runs, and restarts those that die of a bug from their rows.
//
// Owns      the run actors: nobody else starts them. Does not block.
// 1.        A run is answered for when its first rows are committed; its actor starts after that.
// 2.        The id of a run that is there already means that run: finished, it is left alone; unfinished, it goes on.
//           A start_run without a workflow is about such a run, however it was created.
// 3.        A run whose actor dies abnormally is restarted; more often than the intensity allows, that run alone is
//           left as it stands in its rows, and its listeners are told.
// 4.        Asked to stop, it takes no more runs, drains those it has, and ends after the last.
// 5.        It begins with the runs of a life before it: those that the rows say are under way under this lease, and
//           those that were accepted and have not got as far as their first row.
// 6.        A cancel holds until the run has ended, whoever dies meanwhile: the run, or this actor. An unfinished run that
//           nobody carries out is taken up for it, begins nothing, and ends.
// 7.        A run that is at work takes decisions on its gates itself. One that nobody carries out gets the row, and is left
//           at that: whoever goes on with it finds it there.
// 8.        That a child run has ended, or goes on, is passed on to its parent, where that is at work.
// Bounded   by its callers: the command line has one run; a node's doors limit theirs.
// Dies of   a bug; the runs end with it, and the next life takes them up. Permanent.
#pragma once

#include "actors/lineage.hpp"
#include "actors/run_supervisor/undertakings.hpp"
#include "actors/service.hpp"
#include "actors/writer_client.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/run.hpp"
#include "messages/interfaces/run_supervisor.hpp"
#include "messages/supervision.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace troupe {

struct run_supervisor_deps {
  writer_access writer;
  service<database_reader> reader;
  service<event_hub> hub;
  std::shared_ptr<const clock_port> clock;
  std::function<result<create_run>(const start_run&)> first_rows;  ///< All but `at`.
  std::function<run_actor(const run_id&)> spawn_run;
  restart_intensity intensity;
  lineage kin;              ///< The same that the runs have.
  undertakings undertaken;  ///< The same for each life.
};

run_supervisor spawn_run_supervisor(caf::actor_system& system, run_supervisor_deps deps);

}  // namespace troupe
