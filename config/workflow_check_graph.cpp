// Ids, targets, what can be reached, loops.
#include "config/toml_values.hpp"
#include "config/workflow_checks.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe {
namespace {

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

class graph_checker {
 public:
  graph_checker(const workflow& flow, const workflow_shape& shape, workflow_complaints& out)
      : flow_(flow), shape_(shape), out_(out), names_(step_names(flow)) {}

  void check() {
    if (flow_.steps.empty()) {
      out_.error("step", "the workflow has no step", "add [[step]]");
      return;
    }
    check_ids();
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      check_targets(i);
    }
    if (!shape_.index_of(flow_.start)) {
      out_.error("start",
                 "'start' names the step " + quoted(flow_.start.str()) + ", which is not there",
                 hint_for(flow_.start));
      return;
    }
    check_reachable();
    check_loops();
  }

 private:
  void check_ids() {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      const std::string& id = flow_.steps[i].id.str();
      if (!is_name(id)) {
        out_.error(step_path(i, "id"),
                   id.empty() ? "the id of a step must not be empty" : quoted(id) + " cannot be the id of a step",
                   std::string{name_rule});
        continue;
      }
      const auto [found, is_new] = first.try_emplace(id, i);
      if (!is_new) {
        out_.error(step_path(i, "id"),
                   "there is a step " + quoted(id) + " already" + line_of(found->second),
                   "give each step an id of its own");
      }
    }
  }

  std::string line_of(std::size_t index) const {
    const int line = flow_.steps[index].at.line;
    return line > 0 ? ", in line " + std::to_string(line) : "";
  }

  void check_targets(std::size_t index) {
    const step& each = flow_.steps[index];
    std::set<step_id> seen;
    for (std::size_t i = 0; i < each.next.size(); ++i) {
      const auto& way = each.next[i];
      const std::string path = list_path(step_path(index, "next"), i);
      check_target(path, "next", way.to);
      if (!way.when && !seen.insert(way.to).second) {
        out_.warning(path, "'next' names the step " + quoted(way.to.str()) + " twice; it runs once", "take one out");
      }
    }
    for (std::size_t i = 0; i < each.join.size(); ++i) {
      check_target(list_path(step_path(index, "join"), i), "join", each.join[i]);
    }
    if (each.on_error) {
      check_target(step_path(index, "on_error"), "on_error", *each.on_error);
    }
  }

  void check_target(const std::string& path, const std::string& key, const step_id& to) {
    if (!shape_.index_of(to)) {
      out_.error(path, '\'' + key + "' names the step " + quoted(to.str()) + ", which is not there", hint_for(to));
    }
  }

  std::string hint_for(const step_id& id) const { return suggestion(id.str(), names_); }

  void check_reachable() {
    const auto alive = shape_.reachable();
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      const auto& id = flow_.steps[i].id;
      if (!alive[i] && shape_.index_of(id) == i) {
        out_.error(step_path(i, "id"),
                   "step " + quoted(id.str()) + " cannot be reached from " + quoted(flow_.start.str()),
                   "name it in 'next' of a step that is reached, or take it out");
      }
    }
  }

  void check_loops() {
    const auto& limits = flow_.limits;
    if (limits.max_steps > 0 || limits.wall_clock || limits.budget_microusd) {
      return;
    }
    for (const auto& loop : shape_.loops()) {
      std::string names;
      for (const std::size_t index : loop) {
        names += (names.empty() ? "" : ", ") + quoted(flow_.steps[index].id.str());
      }
      const std::string path = step_path(loop.front(), "next");
      if (shape_.can_leave(loop)) {
        out_.warning(path, "the loop of " + names + " has no limit", "add max_steps or wall_clock to [limits]");
      } else {
        out_.error(path,
                   "the loop of " + names + " never ends: each of its routes is always taken",
                   "add max_steps or wall_clock to [limits]");
      }
    }
  }

  const workflow& flow_;
  const workflow_shape& shape_;
  workflow_complaints& out_;
  std::vector<std::string> names_;
};

}  // namespace

void check_graph(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  graph_checker{flow, shape, out}.check();
}

}  // namespace troupe
