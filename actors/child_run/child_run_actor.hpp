// One attempt of a task that is a run of its own: begins the child or goes on with it, follows it to its end, tells the
// parent run.
//
// Owns      the place where it stands in the child's events. The child is the run supervisor's. Does not block.
// 1.        The child's id is made of the task: an attempt after a crash means the same child. What it had ended with is
//           the task's outcome; unfinished, it goes on.
// 2.        The outcome is committed when the child has ended, and told to the parent after that commit.
// 3.        Cancelled or out of time, it has the child cancelled, and waits for the end of all that the child had running.
//           Interrupted, it leaves the child, which the run supervisor drains as every run.
// 4.        A child that waits for a person gives the attempt back as interrupted, so that its parent can sleep as well.
// 5.        It holds no permit: what the child does asks for its own.
// Bounded   by one batch of the child's events.
// Dies of   a bug; its run starts another attempt. Ends by itself when the run has been told. Temporary.
#pragma once

#include "actors/fault_plan.hpp"
#include "actors/service.hpp"
#include "actors/writer_client.hpp"
#include "messages/attempt.hpp"
#include "messages/interfaces/agent.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/run.hpp"
#include "messages/interfaces/run_supervisor.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

struct child_run_deps {
  writer_access writer;
  service<database_reader> reader;
  service<event_hub> hub;
  service<run_supervisor> runs;
  std::shared_ptr<const clock_port> clock;
  std::shared_ptr<fault_plan> faults = nullptr;  ///< As an agent has it.
};

agent_actor spawn_child_run(caf::actor_system& system, child_run_deps deps, attempt_order order, run_actor parent);

}  // namespace troupe
