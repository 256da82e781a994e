#include "config/workflow_check.hpp"

#include "config/workflow_checks.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view step_prefix = "step[";

bool is_below(std::string_view path, std::string_view outer) {
  return path.starts_with(outer) &&
         (path.size() == outer.size() || path[outer.size()] == '.' || path[outer.size()] == '[');
}

// `step[3]` of `step[3].next[0]`; empty for what is not below a step.
std::string_view step_of(std::string_view path) {
  return path.starts_with(step_prefix) ? path.substr(0, path.find(']') + 1) : std::string_view{};
}

std::string_view key_in_step(std::string_view path) {
  const auto step = step_of(path);
  return path.size() > step.size() ? path.substr(step.size() + 1) : std::string_view{};
}

// What the reader refused makes parts of the graph unknown. Whether `found` may be no more than that.
bool is_consequence(const problem& found, const problem& refused) {
  if (refused.weight != problem::severity::error) {
    return false;
  }
  if (is_below(found.key, refused.key)) {
    return true;
  }
  const auto strategy = refused.key.find(".consensus.strategy");
  if (strategy != std::string::npos && is_below(found.key, refused.key.substr(0, refused.key.rfind('.')))) {
    return true;
  }
  const auto part = key_in_step(refused.key);
  const bool is_edge = part.starts_with("id") || part.starts_with("next") || part.starts_with("join") ||
                       part.starts_with("on_error") || part.starts_with("args") || refused.key == "start" ||
                       (part.empty() && !step_of(refused.key).empty());
  const auto asked = key_in_step(found.key);
  const bool is_about_edges = asked.starts_with("id") || asked.starts_with("next") || asked.starts_with("join") ||
                              asked.starts_with("on_error") || found.key == "start";
  if (is_edge && is_about_edges) {
    return true;
  }
  // An executor may hide behind a misspelt or refused key of the same step.
  if (asked.empty() && !step_of(found.key).empty() && step_of(found.key) == step_of(refused.key)) {
    return true;
  }
  const bool hides_a_name = refused.key.starts_with("inputs") || refused.key.starts_with("state") ||
                            part.starts_with("output") || part.starts_with("id") || part.starts_with("args");
  const bool hides_a_reducer = refused.key.starts_with("state");
  return (hides_a_name && asked.find("prompt") != std::string_view::npos) ||
         (hides_a_reducer && asked.starts_with("args"));
}

}  // namespace

void workflow_complaints::error(const std::string& path, std::string message, std::string hint) {
  found_.push_back({problem::severity::error,
                    error_code::invalid_workflow,
                    place(path, positions_.find(path)),
                    path,
                    std::move(message),
                    std::move(hint)});
}

void workflow_complaints::warning(const std::string& path, std::string message, std::string hint) {
  error(path, std::move(message), std::move(hint));
  found_.back().weight = problem::severity::warning;
}

void workflow_complaints::in_text(problem::severity weight,
                                  const std::string& path,
                                  const std::string& spelled,
                                  int n,
                                  std::string message,
                                  std::string hint) {
  error(path, std::move(message), std::move(hint));
  found_.back().weight = weight;
  found_.back().at = place(path, positions_.find_in_text(path, spelled, n));
}

// A model without positions still knows where each step stands.
source_position workflow_complaints::place(const std::string& path, source_position known) const {
  if (!known.file.empty() || !path.starts_with(step_prefix)) {
    return known;
  }
  std::size_t index = flow_.steps.size();
  std::from_chars(path.data() + step_prefix.size(), path.data() + path.size(), index);
  return index < flow_.steps.size() ? flow_.steps[index].at : known;
}

std::string step_path(std::size_t index, std::string_view below) {
  return std::string{step_prefix} + std::to_string(index) + ']' + (below.empty() ? "" : ".") + std::string{below};
}

std::string list_path(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

std::vector<std::string> step_names(const workflow& flow) {
  std::vector<std::string> names;
  for (const auto& each : flow.steps) {
    if (!each.id.empty()) {
      names.push_back(each.id.str());
    }
  }
  return names;
}

check_context make_check_context(const settings& values, std::set<std::string> functions) {
  check_context known{std::map<agent_name, agent_kind>{}, std::move(functions)};
  for (const auto& [name, agent] : values.agents) {
    known.agents->emplace(name, agent.kind);
    if (agent.first_output) {
      known.silence_limits[name]["first_output"] = *agent.first_output;
    }
    if (agent.idle_timeout) {
      known.silence_limits[name]["idle_timeout"] = *agent.idle_timeout;
    }
  }
  return known;
}

std::vector<problem> check_workflow(const workflow& flow, const check_context& known, const source_map& positions) {
  workflow_complaints out{flow, positions};
  const workflow_shape shape{flow};
  check_graph(flow, shape, out);
  check_executors(flow, known, out);
  check_consensus(flow, out);
  check_fields(flow, shape, out);
  check_templates(flow, shape, out);
  auto found = out.take();
  sort_by_place(found);
  return found;
}

std::vector<problem> check_workflow(const loaded_workflow& loaded, const check_context& known) {
  std::vector<problem> all = loaded.problems;
  if (loaded.draft == nullptr) {
    return all;
  }
  const auto take = [&](std::vector<problem> found) {
    std::copy_if(std::make_move_iterator(found.begin()),
                 std::make_move_iterator(found.end()),
                 std::back_inserter(all),
                 [&](const problem& each) {
                   return std::none_of(loaded.problems.begin(), loaded.problems.end(), [&](const problem& refused) {
                     return is_consequence(each, refused);
                   });
                 });
  };
  take(check_workflow(*loaded.draft, known, loaded.positions));
  sort_by_place(all);
  return all;
}

}  // namespace troupe
