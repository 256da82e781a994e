// What a run asks an agent to do: one attempt of one task, with everything it needs.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/json_text.hpp"
#include "messages/cost.hpp"
#include "messages/function.hpp"
#include "messages/limits.hpp"
#include "messages/run.hpp"
#include "messages/workflow.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe {

struct attempt_limits {
  std::optional<milliseconds> timeout;  ///< Of the attempt, from its start request.
  milliseconds kill_grace{5'000};       ///< Between SIGTERM and SIGKILL.
  milliseconds drain_grace{2'000};      ///< For pipes that a grandchild keeps open after the leader's end.
};

struct attempt_order {
  run_id run;
  std::string subject;
  planned_task task;
  attempt_no attempt;
  agent_spec spec;                          ///< Whatever its kind.
  host_function call;                       ///< function only.
  json_text args;                           ///< function only.
  std::string prompt;                       ///< Rendered.
  std::shared_ptr<const json_text> state;   ///< What the superstep sees.
  std::shared_ptr<const json_text> inputs;  ///< The run's; workflow: those of the child run.
  std::uint64_t seed = 0;
  attempt_limits limits;
  retry_policy retry;
  int failures = 0;                        ///< Attempts of this task that failed before this one.
  std::optional<error_class> failed_as;    ///< What the last of them was.
  std::optional<timestamp> first_started;  ///< Of the first attempt, where there was one.
  /// When it fails for good, but not permanently, the others of its step are waited for: their quorum decides whether it
  /// is tried once more.
  bool waits_for_quorum = false;
  bool races = false;  ///< Its step takes the first answer and stops whoever is still at work.
  token_estimate estimate;
  std::optional<json_text> item;  ///< Inside a map: the element.
  workflow_ptr child;             ///< workflow only: what the child run, of the same name in each attempt, carries out.
  std::optional<timestamp> deadline;            ///< Of the run: a child's is not later.
  budget_limits budget{};                       ///< What is left of the run's: a child's is not more.
  std::shared_ptr<const price_table> prices{};  ///< Those that the run began with. Null: none.
  std::optional<error> refused;  ///< The attempt fails with this and starts nothing: its prompt cannot be rendered.
};

}  // namespace troupe
