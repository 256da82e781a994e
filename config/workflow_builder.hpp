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
  step_builder& next(std::string step);  ///< Once for each route, in order.
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

  troupe::step made_;
};

/// Example: workflow_builder flow{"review"}; flow.step("survey").agents({"claude", "gpt"}).prompt("...").next("plan");
class workflow_builder {
 public:
  explicit workflow_builder(std::string name);

  workflow_builder& version(std::int64_t number);
  workflow_builder& start(std::string step);
  workflow_builder& max_concurrent(int tasks);
  workflow_builder& max_steps(std::int64_t executions);
  workflow_builder& wall_clock(milliseconds length);
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
