// One attempt of one task: starts the process, request or function, commits what it printed, judges it, tells the run.
//
// Owns      one process tree, one request over HTTP, or one call of a function. Does not block.
// 1.        Raw output is committed before anything parses it.
// 2.        The outcome is committed when nothing of the tree is left, and told to the run after that commit.
// 3.        When it dies, or its run does, the tree is killed, or the connection closed.
// 4.        Its own stop (time-out, cancel, output limit) is told apart from an end that came by itself.
// 5.        Where a budget counts it, what it is expected to use up is reserved before anything starts; where there is not
//           so much left nothing starts, and the run is told.
// 6.        A function, and an agent with effects outside that must not be repeated unasked, begins when the row of its
//           start is committed: whatever it does, a process that dies leaves a row that says that it may have been done.
// Bounded   by output_limit, for each of the two streams.
// Dies of   a bug; its run starts another attempt. Ends by itself when the run has been told. Temporary.
#pragma once

#include "actors/agent/cassette_port.hpp"
#include "actors/agent/function_executor.hpp"
#include "actors/agent/http_port.hpp"
#include "actors/agent/process_port.hpp"
#include "actors/agent/prompt_file_port.hpp"
#include "actors/fault_plan.hpp"
#include "actors/service.hpp"
#include "actors/writer_client.hpp"
#include "messages/attempt.hpp"
#include "messages/cost.hpp"
#include "messages/interfaces/agent.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/run.hpp"

#include <caf/fwd.hpp>

#include <map>
#include <memory>
#include <string>

namespace troupe {

struct agent_deps {
  writer_access writer;
  service<event_hub> hub;
  std::shared_ptr<process_port> processes;
  std::shared_ptr<function_executor> functions;
  std::shared_ptr<prompt_file_port> prompt_files;
  std::shared_ptr<const clock_port> clock;
  std::shared_ptr<const std::map<std::string, std::string>> host_environment;  ///< For pass_env, and keys.
  std::shared_ptr<http_port> http;
  /// Null: none. An attempt that one is due for ends by it and starts nothing.
  std::shared_ptr<fault_plan> faults = nullptr;
  budget_ceilings ceilings{};
  std::shared_ptr<answer_recorder> recorder = nullptr;  ///< Null: answers of agents are not kept.
  /// Null: agents are asked. Otherwise it answers in the place of every command and every request; functions run.
  std::shared_ptr<answer_player> player = nullptr;
};

agent_actor spawn_agent(caf::actor_system& system, agent_deps deps, attempt_order order, run_actor run);

}  // namespace troupe
