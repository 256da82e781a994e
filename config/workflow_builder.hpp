// A workflow written in C++: the same model, the same checks, the same errors as from a file.
#pragma once

#include "config/workflow_file.hpp"
#include "messages/workflow.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// One step. Made by workflow_builder::step; every call returns the step, so that calls chain.
class step_builder {
 public:
  explicit step_builder(std::string id);

  step_builder& agent(std::string name);  ///< Once for each agent.
  step_builder& agents(std::vector<std::string> names);
  step_builder& function(std::string name, json_text args = json_text{"{}"});
  step_builder& prompt(std::string text);
  step_builder& output(std::string field);
  step_builder& timeout(milliseconds length);

  /// Once for each route, in order. With conditions, the first route whose condition holds is taken, and one without
  /// holds always; without any, all are. Conditions: config/workflow_conditions.hpp.
  step_builder& next(std::string step);
  step_builder& next(std::string step, condition when);
  step_builder& join(std::vector<std::string> steps);
  step_builder& on_error(std::string step);
  step_builder& on_crash(crash_policy policy);
  step_builder& effects(effect_kind kind);

  /// Once for each level, in order; the next four are of the level that was named last.
  step_builder& gate(std::string prompt);
  step_builder& votes(int approvals);
  step_builder& voters(std::vector<std::string> names);
  step_builder& expires(milliseconds after, expiry_policy then = expiry_policy::fail);
  step_builder& asked_when(condition when);  ///< Else the level is left out.
  step_builder& approved_when(condition when);
  step_builder& action(std::string pointer);

  /// One task for each element of the list at `over`. The step of the map has the agent's prompt.
  step_builder& map_agent(std::string over, std::string as, std::string agent);
  step_builder& map_function(std::string over, std::string as, std::string name, json_text args = json_text{"{}"});
  /// One child run for each. Not null. Two workflows of one builder have different names.
  step_builder& map_workflow(std::string over, std::string as, workflow_ptr child);
  /// 0: as many as the run lets.
  step_builder& map_concurrent(int most);

  step_builder& collect(std::optional<int> quorum = {});
  step_builder& vote(std::optional<int> quorum = {});
  step_builder& vote_on(std::string pointer);
  step_builder& vote_each(std::string pointer, std::vector<std::string> same_by = {});
  step_builder& race();
  /// An empty prompt is the one of Troupe.
  step_builder& aggregate(std::string aggregator, std::string prompt = {}, std::optional<int> quorum = {});
  step_builder& required(std::vector<std::string> pointers);  ///< Of the aggregator's answer.
  step_builder& min_answers(int count);
  step_builder& retry_degraded(int tries);
  step_builder& soft_deadline(milliseconds after);
  step_builder& hard_deadline(milliseconds after);
  step_builder& retry(retry_policy policy);

  const troupe::step& made() const noexcept { return made_; }

 private:
  consensus_policy& consensus();
  gate_policy& gate();
  gate_level& level();
  map_policy& map(std::string over, std::string as);

  troupe::step made_;
};

/// Example: workflow_builder flow{"review"}; flow.step("survey").agents({"claude", "gpt"}).prompt("...").next("plan");
/// Functions of the host with results of its own types: config/typed_function.hpp.
class workflow_builder {
 public:
  explicit workflow_builder(std::string name);

  workflow_builder& version(std::int64_t number);
  workflow_builder& start(std::string step);
  workflow_builder& max_concurrent(int tasks);
  workflow_builder& max_steps(std::int64_t executions);
  workflow_builder& wall_clock(milliseconds length);
  workflow_builder& priority(int among_runs);  ///< 0 to 9, 9 first.
  workflow_builder& budget_usd(double dollars);
  workflow_builder& budget_tokens(std::int64_t tokens);     ///< Input and output together.
  workflow_builder& budget_time(milliseconds of_attempts);  ///< Added up, those beside each other too.
  workflow_builder& required_input(std::string name);
  workflow_builder& input(std::string name, std::optional<json_text> default_value = {});
  workflow_builder& state(std::string field, reducer reduce, std::optional<json_text> initial = {});

  /// A new step at the end. The reference holds as long as the builder.
  step_builder& step(std::string id);

  /// Problems stand at `builder step 'x'` or `builder`, line 0. Run check_workflow on it as on a file.
  loaded_workflow build() const;

 private:
  workflow head_;
  std::deque<step_builder> steps_;
};

}  // namespace troupe
