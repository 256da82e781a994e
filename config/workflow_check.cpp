#include "config/workflow_check.hpp"

#include "config/workflow_checks.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <tuple>
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

// `step[1].map.workflow.` of a key that is of the file of a map; empty of one that is of the file itself.
std::string_view file_part(std::string_view key) {
  constexpr std::string_view mark = ".map.workflow.";
  const auto at = key.rfind(mark);
  return at == std::string_view::npos ? std::string_view{} : key.substr(0, at + mark.size());
}

// What the reader refused makes parts of the graph unknown. Whether `found` may be no more than that. Both are keys of
// one file.
bool is_consequence_within(std::string_view found, std::string_view refused) {
  if (is_below(found, refused)) {
    return true;
  }
  const auto strategy = refused.find(".consensus.strategy");
  if (strategy != std::string_view::npos && is_below(found, refused.substr(0, refused.rfind('.')))) {
    return true;
  }
  const auto part = key_in_step(refused);
  const bool is_edge = part.starts_with("id") || part.starts_with("next") || part.starts_with("join") ||
                       part.starts_with("on_error") || part.starts_with("args") || refused == "start" ||
                       (part.empty() && !step_of(refused).empty());
  const auto asked = key_in_step(found);
  const bool is_about_edges = asked.starts_with("id") || asked.starts_with("next") || asked.starts_with("join") ||
                              asked.starts_with("on_error") || found == "start";
  if (is_edge && is_about_edges) {
    return true;
  }
  // An executor may hide behind a misspelt or refused key of the same step.
  if (asked.empty() && !step_of(found).empty() && step_of(found) == step_of(refused)) {
    return true;
  }
  const auto names = [&](std::string_view key) { return asked.find(key) != std::string_view::npos; };
  const bool is_about_names = names("prompt") || names("when") || names("map.over") || names("gate.action");
  const bool hides_a_name = refused.starts_with("inputs") || refused.starts_with("state") ||
                            part.starts_with("output") || part.starts_with("id") || part.starts_with("args") ||
                            part.starts_with("map") || part.starts_with("function") || part.starts_with("on_error");
  const bool hides_a_reducer = refused.starts_with("state");
  return (hides_a_name && is_about_names) || (hides_a_reducer && asked.starts_with("args"));
}

bool is_consequence(const problem& found, const problem& refused) {
  if (refused.weight != problem::severity::error) {
    return false;
  }
  const auto file = file_part(found.key);
  const auto other = file_part(refused.key);
  if (file == other) {
    return is_consequence_within(std::string_view{found.key}.substr(file.size()),
                                 std::string_view{refused.key}.substr(other.size()));
  }
  // Of a map whose workflow could not be read whole, nothing is said.
  return is_below(found.key, refused.key) || is_below(refused.key, found.key);
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

std::string level_path(const workflow_complaints& out, std::size_t index, std::size_t level) {
  const std::string levels = step_path(index, "gate.levels");
  return out.knows(levels) ? list_path(levels, level) : step_path(index, "gate");
}

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

namespace {

// Each map checks its workflow, which has the places and keys of its own file behind those of the map.
void check_child(const workflow& child,
                 const std::string& path,
                 const check_context& known,
                 const source_map& positions,
                 std::vector<problem>& found) {
  for (auto& each : check_workflow(child, known, positions.below(path))) {
    each.key = path + '.' + each.key;
    found.push_back(std::move(each));
  }
}

// What two maps of one workflow say alike.
void remove_repeats(std::vector<problem>& found) {
  std::set<std::tuple<std::string, int, int, std::string>> seen;
  std::erase_if(found, [&](const problem& each) {
    return each.at.line > 0 && !seen.emplace(each.at.file, each.at.line, each.at.column, each.message).second;
  });
}

}  // namespace

std::vector<problem> check_workflow(const workflow& flow, const check_context& known, const source_map& positions) {
  workflow_complaints out{flow, positions};
  const workflow_shape shape{flow};
  check_graph(flow, shape, out);
  check_executors(flow, known, out);
  check_consensus(flow, out);
  check_fields(flow, shape, out);
  check_gates(flow, out);
  check_maps(flow, out);
  check_pointers(flow, shape, out);
  check_templates(flow, shape, out);
  auto found = out.take();
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    if (flow.steps[i].map && flow.steps[i].map->flow) {
      check_child(*flow.steps[i].map->flow, step_path(i, "map.workflow"), known, positions, found);
    }
  }
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
  remove_repeats(all);
  return all;
}

}  // namespace troupe
