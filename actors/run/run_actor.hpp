// One run, from its rows to its end.
//
// Owns      the run's plan and its agents: it is their supervisor. Does not block.
// 1.        It begins from rows, always: a new run, one that is resumed and one whose actor died of a bug are the same.
// 2.        Nothing follows from a fact before the fact is committed.
// 3.        An agent that dies of a bug is an interrupted attempt; the task is tried again, three times, then fails.
// 4.        Cancel, time limit, budget and shutdown let no attempt begin, wait until no agent is left, and then end the run.
// 5.        A later life begins when every actor of those before it has ended, and with a fact of its own, so that what
//           they had told comes before it.
// 6.        A task that is a run of its own needs no permit. A child run tells its parent when it has ended, and when it
//           goes on after it waited for people.
// Bounded   by max_concurrent agents.
// Dies of   a bug, or rows that contradict each other. Restarted by the run supervisor: transient.
#pragma once

#include "actors/lineage.hpp"
#include "actors/run/plan.hpp"
#include "actors/service.hpp"
#include "actors/writer_client.hpp"
#include "messages/attempt.hpp"
#include "messages/interfaces/agent.hpp"
#include "messages/interfaces/database_reader.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/governor.hpp"
#include "messages/interfaces/retry_scheduler.hpp"
#include "messages/interfaces/run.hpp"
#include "messages/interfaces/run_supervisor.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace troupe {

/// What a run's rows are pinned to, read back.
struct run_material {
  workflow_ptr flow;
  std::shared_ptr<const executors> with;
};

struct run_deps {
  writer_access writer;
  service<database_reader> reader;
  service<event_hub> hub;
  service<troupe::governor> governor;
  service<retry_scheduler> retries;
  service<run_supervisor> runs;  ///< To tell a parent's.
  std::shared_ptr<const clock_port> clock;
  std::function<result<run_material>(const recovery_view&)> read_material;
  std::function<agent_actor(attempt_order, run_actor)> spawn_agent;
  milliseconds drain_timeout{5'000};
  lineage kin;
};

run_actor spawn_run(caf::actor_system& system, run_deps deps, run_id run);

}  // namespace troupe
