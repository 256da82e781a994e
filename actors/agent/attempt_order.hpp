// What a run asks an agent to do: one attempt of one task, with everything it needs.
#pragma once

#include "actors/agent/attempt_session.hpp"
#include "actors/agent/function_port.hpp"
#include "messages/agent.hpp"
#include "messages/base/json_text.hpp"
#include "messages/run.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe {

struct attempt_order {
  run_id run;
  std::string subject;
  planned_task task;
  attempt_no attempt;
  agent_spec spec;       ///< kind command or function.
  host_function call;    ///< function only.
  json_text args;        ///< function only.
  std::string prompt;    ///< Rendered.
  std::shared_ptr<const json_text> state;   ///< What the superstep sees.
  std::shared_ptr<const json_text> inputs;
  std::uint64_t seed = 0;
  attempt_session::limits limits;
  std::optional<error> refused;  ///< The attempt fails with this and starts nothing: its prompt cannot be rendered.
};

}  // namespace troupe
