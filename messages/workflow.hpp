// The declared graph. Made by config/ (TOML file or builder), checked there, and never changed afterwards.
// Terms: docs/architecture.md. File format: docs/workflow-file.md.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/ids.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"
#include "messages/cost.hpp"
#include "messages/gate.hpp"
#include "messages/retry_policy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// Where something stands in a file that a person wrote. Line and column count from 1; 0 where unknown (a builder).
struct source_position {
  std::string file;
  int line = 0;
  int column = 0;
};

/// How a field of the state takes a delta. Stored by name in supersteps.deltas: never rename.
enum class reducer {
  fail,       ///< One writer per superstep, else MERGE_CONFLICT; a later superstep overwrites. The default.
  last,       ///< The later in graph order wins.
  append,     ///< The value becomes one more element of a list.
  set_union,  ///< `union`: the value, or each element of a list, is added if it is not there.
  sum,
  min,
  max,
  merge,  ///< Objects, RFC 7396.
};

struct state_field {
  field_name name;
  std::optional<json_text> initial;
  reducer reduce = reducer::fail;
  source_position at;
};

struct input_field {
  std::string name;
  bool required = false;
  std::optional<json_text> default_value;
  source_position at;
};

enum class comparison { eq, ne, gt, ge, lt, le, exists, in };

/// A tree of comparisons over the state. A leaf has a pointer; the others have parts.
struct condition {
  enum class kind { compare, all, any, negate };
  kind is = kind::compare;
  std::string pointer;  ///< RFC 6901, into the state.
  comparison compares = comparison::eq;
  json_text value;
  std::vector<condition> parts;
};

struct route {
  step_id to;
  std::optional<condition> when;  ///< Without it the route always holds.
  source_position at;
};

enum class crash_policy { retry, fail, ask };

enum class consensus_strategy { collect, race, vote, aggregate };

struct consensus_policy {
  consensus_strategy strategy = consensus_strategy::collect;
  std::optional<int> quorum;         ///< Successes needed; absent: two thirds, rounded up.
  std::string vote_on;               ///< RFC 6901 into each output; empty: the whole output.
  std::string vote_each;             ///< RFC 6901 to a list in each output whose elements are voted on one by one.
  std::vector<std::string> vote_by;  ///< With vote_each: what makes two elements the same; empty: the whole element.
  int retry_degraded = 1;
  std::optional<int> min_answers;          ///< With fewer than the quorum, but so many, an emergency result.
  agent_name aggregator;                   ///< aggregate: who gets the others' outputs. Not one of them.
  std::string aggregate_prompt;            ///< With templates, `{{outputs}}` among them; empty: a prompt of our own.
  std::vector<std::string> required;       ///< aggregate: RFC 6901 pointers that must exist in its output.
  std::optional<milliseconds> soft_after;  ///< From the step's first start: goes on with a quorum, others are stopped.
  std::optional<milliseconds> hard_after;  ///< From the step's first start: nobody is waited for any longer.
};

struct function_call {
  std::string name;
  json_text args;  ///< One table or a list of tables.
};

/// What a gate asks at one of its levels.
struct gate_level {
  std::optional<condition> when;  ///< The level is left out where it does not hold.
  std::string prompt;             ///< With templates.
  int votes = 1;
  std::vector<std::string> voters;  ///< Empty: anybody.
  std::optional<milliseconds> expires;
  expiry_policy on_expiry = expiry_policy::fail;
};

struct gate_policy {
  std::vector<gate_level> levels;          ///< At least one; each asks when the one before has approved.
  std::optional<condition> approved_when;  ///< Approved without asking where it holds.
  std::optional<std::string> action;       ///< RFC 6901 into the state: what is to be approved.
};

struct workflow;

/// One task for each element of a list of the state. Exactly one of agent, function and flow says what carries it out.
struct map_policy {
  std::string over;  ///< RFC 6901 into the state, to a list.
  std::string as;    ///< The element's name in prompts, and the input that it is of a child run.
  agent_name agent;
  std::optional<function_call> function;
  std::string workflow_file;             ///< As the file has it.
  std::shared_ptr<const workflow> flow;  ///< What that file has.
  int max_concurrent = 0;                ///< Of this step; 0: that of the run.
};

/// A node of the graph. Exactly one of agents, function, gate and map says what carries it out.
struct step {
  step_id id;
  std::vector<agent_name> agents;
  std::optional<function_call> function;
  std::optional<gate_policy> gate;
  std::optional<map_policy> map;
  std::string prompt;  ///< With templates; the text of prompt_file where that was given.
  field_name output;   ///< The field that takes the step's result; the step's id unless declared.
  std::optional<milliseconds> timeout;
  std::optional<retry_policy> retry;
  std::optional<crash_policy> on_crash;
  std::optional<effect_kind> effects;  ///< Absent: as its agents say.
  std::optional<step_id> on_error;
  std::vector<route> next;  ///< In the order of the file. Empty: the branch ends here.
  std::vector<step_id> join;
  std::optional<consensus_policy> consensus;
  source_position at;
};

struct run_limits {
  int max_concurrent = 8;
  int priority = 5;            ///< Beside other runs: 0 to 9, 9 first.
  std::int64_t max_steps = 0;  ///< Task executions; 0: no limit.
  std::optional<milliseconds> wall_clock;
  budget_limits budget;  ///< Of the run with its child runs.
};

struct workflow {
  std::string name;
  std::int64_t version = 0;  ///< For people; a run is pinned to `hash`.
  step_id start;
  run_limits limits;
  std::vector<input_field> inputs;
  std::vector<state_field> state;
  std::vector<step> steps;  ///< In the order of the file: ties of the graph order are broken by it.
  std::string source;  ///< The whole file; with each prompt_file inlined, so that a run can be restored from its row.
  std::string hash;    ///< `sha256:` and the hex digest of `source`.
};

using workflow_ptr = std::shared_ptr<const workflow>;

/// Null when there is none.
const step* find_step(const workflow& flow, const step_id& id) noexcept;

}  // namespace troupe
