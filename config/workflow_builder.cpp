#include "config/workflow_builder.hpp"

#include "config/toml_text.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace troupe {
namespace {

// The number in `step[3].next`; -1 for a path that is not below a step.
int step_index(std::string_view path) {
  constexpr std::string_view prefix = "step[";
  int index = -1;
  if (path.starts_with(prefix)) {
    std::from_chars(path.data() + prefix.size(), path.data() + path.size(), index);
  }
  return index;
}

source_position place_of(const workflow& flow, std::string_view path) {
  const int index = step_index(path);
  if (index < 0 || static_cast<std::size_t>(index) >= flow.steps.size()) {
    return {"builder", 0, 0};
  }
  return {"builder step '" + flow.steps[static_cast<std::size_t>(index)].id.str() + '\'', 0, 0};
}

// The file form has no null; without this the value would come back as the text "null".
void check_json(const workflow& flow,
                const std::string& path,
                const std::optional<json_text>& json,
                std::vector<problem>& found) {
  if (json && !parse_json(json->str())) {
    found.push_back({problem::severity::error,
                     error_code::invalid_workflow,
                     place_of(flow, path),
                     path,
                     "this is not JSON that a workflow can hold: " + json->str().substr(0, 60),
                     "a workflow has no null; leave the value out"});
  }
}

std::vector<problem> check_values(const workflow& flow) {
  std::vector<problem> found;
  for (const auto& field : flow.inputs) {
    check_json(flow, "inputs." + field.name + ".default", field.default_value, found);
  }
  for (const auto& field : flow.state) {
    check_json(flow, "state." + field.name.str() + ".initial", field.initial, found);
  }
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    if (const auto& function = flow.steps[i].function) {
      check_json(flow, "step[" + std::to_string(i) + "].args", function->args, found);
    }
  }
  return found;
}

workflow with_places(workflow flow) {
  for (auto& each : flow.steps) {
    each.at = {"builder step '" + each.id.str() + '\'', 0, 0};
    for (auto& way : each.next) {
      way.at = each.at;
    }
  }
  for (auto& field : flow.inputs) {
    field.at = {"builder", 0, 0};
  }
  for (auto& field : flow.state) {
    field.at = {"builder", 0, 0};
  }
  return flow;
}

}  // namespace

step_builder::step_builder(std::string id) {
  made_.id = step_id{std::move(id)};
  made_.output = field_name{made_.id.str()};
}

step_builder& step_builder::agent(std::string name) {
  made_.agents.emplace_back(std::move(name));
  return *this;
}

step_builder& step_builder::agents(std::vector<std::string> names) {
  for (auto& name : names) {
    agent(std::move(name));
  }
  return *this;
}

step_builder& step_builder::function(std::string name, json_text args) {
  made_.function = function_call{std::move(name), std::move(args)};
  return *this;
}

step_builder& step_builder::prompt(std::string text) {
  made_.prompt = std::move(text);
  return *this;
}

step_builder& step_builder::output(std::string field) {
  made_.output = field_name{std::move(field)};
  return *this;
}

step_builder& step_builder::timeout(milliseconds length) {
  made_.timeout = length;
  return *this;
}

step_builder& step_builder::next(std::string step) {
  made_.next.push_back({step_id{std::move(step)}, {}, {}});
  return *this;
}

step_builder& step_builder::collect(std::optional<int> quorum) {
  consensus().strategy = consensus_strategy::collect;
  consensus().quorum = quorum;
  return *this;
}

step_builder& step_builder::vote(std::optional<int> quorum) {
  consensus().strategy = consensus_strategy::vote;
  consensus().quorum = quorum;
  return *this;
}

step_builder& step_builder::vote_on(std::string pointer) {
  consensus().strategy = consensus_strategy::vote;
  consensus().vote_on = std::move(pointer);
  return *this;
}

step_builder& step_builder::vote_each(std::string pointer, std::vector<std::string> same_by) {
  consensus().strategy = consensus_strategy::vote;
  consensus().vote_each = std::move(pointer);
  consensus().vote_by = std::move(same_by);
  return *this;
}

step_builder& step_builder::race() {
  consensus().strategy = consensus_strategy::race;
  return *this;
}

step_builder& step_builder::aggregate(std::string aggregator, std::string prompt, std::optional<int> quorum) {
  consensus().strategy = consensus_strategy::aggregate;
  consensus().aggregator = agent_name{std::move(aggregator)};
  consensus().aggregate_prompt = std::move(prompt);
  consensus().quorum = quorum;
  return required({required_words.begin(), required_words.end()});
}

step_builder& step_builder::required(std::vector<std::string> pointers) {
  consensus().required = std::move(pointers);
  return *this;
}

step_builder& step_builder::min_answers(int count) {
  consensus().min_answers = count;
  return *this;
}

step_builder& step_builder::retry_degraded(int tries) {
  consensus().retry_degraded = tries;
  return *this;
}

step_builder& step_builder::soft_deadline(milliseconds after) {
  consensus().soft_after = after;
  return *this;
}

step_builder& step_builder::hard_deadline(milliseconds after) {
  consensus().hard_after = after;
  return *this;
}

step_builder& step_builder::retry(retry_policy policy) {
  made_.retry = policy;
  return *this;
}

consensus_policy& step_builder::consensus() { return made_.consensus ? *made_.consensus : made_.consensus.emplace(); }

workflow_builder::workflow_builder(std::string name) { head_.name = std::move(name); }

workflow_builder& workflow_builder::version(std::int64_t number) {
  head_.version = number;
  return *this;
}

workflow_builder& workflow_builder::start(std::string step) {
  head_.start = step_id{std::move(step)};
  return *this;
}

workflow_builder& workflow_builder::max_concurrent(int tasks) {
  head_.limits.max_concurrent = tasks;
  return *this;
}

workflow_builder& workflow_builder::max_steps(std::int64_t executions) {
  head_.limits.max_steps = executions;
  return *this;
}

workflow_builder& workflow_builder::wall_clock(milliseconds length) {
  head_.limits.wall_clock = length;
  return *this;
}

workflow_builder& workflow_builder::required_input(std::string name) {
  head_.inputs.push_back({std::move(name), true, {}, {}});
  return *this;
}

workflow_builder& workflow_builder::input(std::string name, std::optional<json_text> default_value) {
  head_.inputs.push_back({std::move(name), false, std::move(default_value), {}});
  return *this;
}

workflow_builder& workflow_builder::state(std::string field, reducer reduce, std::optional<json_text> initial) {
  head_.state.push_back({field_name{std::move(field)}, std::move(initial), reduce, {}});
  return *this;
}

step_builder& workflow_builder::step(std::string id) { return steps_.emplace_back(std::move(id)); }

// Written as a file and read back: what the reader of files refuses is refused here too, in the same words.
loaded_workflow workflow_builder::build() const {
  workflow flow = head_;
  for (const auto& each : steps_) {
    flow.steps.push_back(each.made());
  }
  auto found = check_values(flow);
  auto loaded = parse_workflow(to_toml(flow), "builder", {});
  const auto refused = found.size();
  for (auto& each : loaded.problems) {
    const auto is_known = [&](const problem& known) { return known.key == each.key; };
    if (std::none_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(refused), is_known)) {
      each.at = place_of(flow, each.key);
      found.push_back(std::move(each));
    }
  }
  loaded.problems = std::move(found);
  loaded.positions.relocate([&](const std::string& path) { return place_of(flow, path); });
  loaded.draft = loaded.draft ? std::make_shared<const workflow>(with_places(*loaded.draft)) : nullptr;
  loaded.flow = has_errors(loaded.problems) ? nullptr : loaded.draft;
  return loaded;
}

}  // namespace troupe
