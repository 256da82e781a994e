#include "config/workflow_builder.hpp"

#include "config/toml_text.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace troupe {
namespace {

constexpr double microusd = 1e6;
constexpr std::string_view own_file = "builder";

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

void check_condition(const workflow& flow,
                     const std::string& path,
                     const condition& when,
                     std::vector<problem>& found) {
  if (when.is == condition::kind::compare) {
    check_json(flow, path, when.value, found);
  }
  for (const auto& part : when.parts) {
    check_condition(flow, path, part, found);
  }
}

void check_step_values(const workflow& flow, std::size_t index, std::vector<problem>& found) {
  const auto& each = flow.steps[index];
  const std::string path = "step[" + std::to_string(index) + "].";
  if (each.function) {
    check_json(flow, path + "args", each.function->args, found);
  }
  if (each.map && each.map->function) {
    check_json(flow, path + "map.args", each.map->function->args, found);
  }
  for (std::size_t i = 0; i < each.next.size(); ++i) {
    if (each.next[i].when) {
      check_condition(flow, path + "next[" + std::to_string(i) + "].when", *each.next[i].when, found);
    }
  }
  if (each.gate && each.gate->approved_when) {
    check_condition(flow, path + "gate.approved_when", *each.gate->approved_when, found);
  }
  for (std::size_t i = 0; each.gate && i < each.gate->levels.size(); ++i) {
    if (each.gate->levels[i].when) {
      check_condition(flow, path + "gate.levels[" + std::to_string(i) + "].when", *each.gate->levels[i].when, found);
    }
  }
}

// The stored source has each child under its name.
void check_children(const workflow& flow, std::vector<problem>& found) {
  std::map<std::string, std::string> hashes;
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const auto* child = flow.steps[i].map ? flow.steps[i].map->flow.get() : nullptr;
    if (child == nullptr || hashes.try_emplace(child->name, child->hash).first->second == child->hash) {
      continue;
    }
    const std::string path = "step[" + std::to_string(i) + "].map.workflow";
    found.push_back({problem::severity::error,
                     error_code::invalid_workflow,
                     place_of(flow, path),
                     path,
                     "there is another workflow '" + child->name + "' in this one already",
                     "give each a name of its own"});
  }
}

// Of two with one name the second is told, and left out: the file form has no place for it.
template <class Field, class Name>
void drop_repeats(std::vector<Field>& fields,
                  const std::string& table,
                  const std::string& what,
                  Name name_of,
                  std::vector<problem>& found) {
  std::set<std::string> seen;
  std::erase_if(fields, [&](const Field& each) {
    const std::string& name = name_of(each);
    const bool is_new = seen.insert(name).second;
    if (!is_new) {
      found.push_back({problem::severity::error,
                       error_code::invalid_workflow,
                       {std::string{own_file}, 0, 0},
                       table + '.' + name,
                       what + " '" + name + "' is declared twice",
                       "take one out"});
    }
    return !is_new;
  });
}

std::vector<problem> check_values(workflow& flow) {
  std::vector<problem> found;
  drop_repeats(
      flow.inputs, "inputs", "input", [](const input_field& each) -> const std::string& { return each.name; }, found);
  drop_repeats(
      flow.state,
      "state",
      "field",
      [](const state_field& each) -> const std::string& { return each.name.str(); },
      found);
  for (const auto& field : flow.inputs) {
    check_json(flow, "inputs." + field.name + ".default", field.default_value, found);
  }
  for (const auto& field : flow.state) {
    check_json(flow, "state." + field.name.str() + ".initial", field.initial, found);
  }
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    check_step_values(flow, i, found);
  }
  check_children(flow, found);
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

step_builder& step_builder::next(std::string step, condition when) {
  made_.next.push_back({step_id{std::move(step)}, std::move(when), {}});
  return *this;
}

step_builder& step_builder::join(std::vector<std::string> steps) {
  for (auto& step : steps) {
    made_.join.emplace_back(std::move(step));
  }
  return *this;
}

step_builder& step_builder::on_error(std::string step) {
  made_.on_error = step_id{std::move(step)};
  return *this;
}

step_builder& step_builder::on_crash(crash_policy policy) {
  made_.on_crash = policy;
  return *this;
}

step_builder& step_builder::effects(effect_kind kind) {
  made_.effects = kind;
  return *this;
}

step_builder& step_builder::gate(std::string prompt) {
  gate().levels.emplace_back();
  level().prompt = std::move(prompt);
  return *this;
}

step_builder& step_builder::votes(int approvals) {
  level().votes = approvals;
  return *this;
}

step_builder& step_builder::voters(std::vector<std::string> names) {
  level().voters = std::move(names);
  return *this;
}

step_builder& step_builder::expires(milliseconds after, expiry_policy then) {
  level().expires = after;
  level().on_expiry = then;
  return *this;
}

step_builder& step_builder::asked_when(condition when) {
  level().when = std::move(when);
  return *this;
}

step_builder& step_builder::approved_when(condition when) {
  gate().approved_when = std::move(when);
  return *this;
}

step_builder& step_builder::action(std::string pointer) {
  gate().action = std::move(pointer);
  return *this;
}

step_builder& step_builder::map_agent(std::string over, std::string as, std::string agent) {
  map(std::move(over), std::move(as)).agent = agent_name{std::move(agent)};
  return *this;
}

step_builder& step_builder::map_function(std::string over, std::string as, std::string name, json_text args) {
  map(std::move(over), std::move(as)).function = function_call{std::move(name), std::move(args)};
  return *this;
}

step_builder& step_builder::map_workflow(std::string over, std::string as, workflow_ptr child) {
  auto& each = map(std::move(over), std::move(as));
  each.workflow_file = child == nullptr ? "" : child->name + ".toml";
  each.flow = std::move(child);
  return *this;
}

step_builder& step_builder::map_concurrent(int most) {
  (made_.map ? *made_.map : made_.map.emplace()).max_concurrent = most;
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

gate_policy& step_builder::gate() { return made_.gate ? *made_.gate : made_.gate.emplace(); }

gate_level& step_builder::level() {
  auto& levels = gate().levels;
  return levels.empty() ? levels.emplace_back() : levels.back();
}

map_policy& step_builder::map(std::string over, std::string as) {
  auto& each = made_.map ? *made_.map : made_.map.emplace();
  each.over = std::move(over);
  each.as = std::move(as);
  return each;
}

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

workflow_builder& workflow_builder::priority(int among_runs) {
  head_.limits.priority = among_runs;
  return *this;
}

workflow_builder& workflow_builder::budget_usd(double dollars) {
  head_.limits.budget.microusd = std::llround(dollars * microusd);
  return *this;
}

workflow_builder& workflow_builder::budget_tokens(std::int64_t tokens) {
  head_.limits.budget.tokens = tokens;
  return *this;
}

workflow_builder& workflow_builder::budget_time(milliseconds of_attempts) {
  head_.limits.budget.time = of_attempts;
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
  auto loaded = parse_workflow(to_toml(flow), std::string{own_file}, {});
  const auto refused = found.size();
  for (auto& each : loaded.problems) {
    const auto is_known = [&](const problem& known) { return known.key == each.key; };
    if (std::none_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(refused), is_known)) {
      each.at = each.at.file == own_file ? place_of(flow, each.key) : each.at;
      found.push_back(std::move(each));
    }
  }
  loaded.problems = std::move(found);
  loaded.positions.relocate(own_file, [&](const std::string& path) { return place_of(flow, path); });
  loaded.draft = loaded.draft ? std::make_shared<const workflow>(with_places(*loaded.draft)) : nullptr;
  loaded.flow = has_errors(loaded.problems) ? nullptr : loaded.draft;
  return loaded;
}

}  // namespace troupe
