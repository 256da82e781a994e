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
    check_start();
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
      check_lead(index, path, "next", way.to);
      if (!way.when && !seen.insert(way.to).second) {
        out_.warning(path, "'next' names the step " + quoted(way.to.str()) + " twice; it runs once", "take one out");
      }
    }
    if (each.on_error) {
      check_lead(index, step_path(index, "on_error"), "on_error", *each.on_error);
    }
    for (const auto& to : each.function ? shape_.facts(index).routes : std::vector<std::string>{}) {
      check_lead(index, step_path(index, "args"), each.function->name, step_id{to});
    }
    check_join(index);
  }

  void check_join(std::size_t index) {
    const step& each = flow_.steps[index];
    for (std::size_t i = 0; i < each.join.size(); ++i) {
      const auto& from = each.join[i];
      const std::string path = list_path(step_path(index, "join"), i);
      check_target(path, "join", from);
      const auto before = each.join.begin() + static_cast<std::ptrdiff_t>(i);
      if (from == each.id) {
        out_.error(path, "step " + quoted(from.str()) + " waits for itself, and so never runs", "take it out");
      } else if (std::find(each.join.begin(), before, from) != before) {
        out_.error(path, "'join' names the step " + quoted(from.str()) + " twice; it arrives once", "take one out");
      }
    }
  }

  // A way into a join past those that it waits for would run it too soon.
  void check_lead(std::size_t index, const std::string& path, const std::string& key, const step_id& to) {
    check_target(path, key, to);
    const auto target = shape_.index_of(to);
    const auto& from = flow_.steps[index].id;
    if (!target || flow_.steps[*target].join.empty()) {
      return;
    }
    const auto& join = flow_.steps[*target].join;
    if (std::find(join.begin(), join.end(), from) == join.end()) {
      out_.error(
          path,
          quoted(key) + " leads to the step " + quoted(to.str()) + ", which joins " + listed(join) + " and not " +
              quoted(from.str()) + ": it would run without waiting for them",
          (*target == index ? "" : "add " + quoted(from.str()) + " to the 'join' of " + quoted(to.str()) + ", or ") +
              "lead to a step that joins nobody");
    }
  }

  static std::string listed(const std::vector<step_id>& steps) {
    std::string names;
    for (const auto& each : steps) {
      names += (names.empty() ? "" : ", ") + quoted(each.str());
    }
    return names;
  }

  void check_start() {
    const auto start = *shape_.index_of(flow_.start);
    const auto& join = flow_.steps[start].join;
    if (!join.empty()) {
      out_.error(out_.knows("start") ? "start" : step_path(start, "join"),
                 "the run begins with the step " + quoted(flow_.start.str()) + ", which joins " + listed(join) +
                     ": it would run without waiting for them",
                 "begin with another step, or take out 'join'");
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
        const std::string what = "step " + quoted(id.str()) + " cannot be reached from " + quoted(flow_.start.str());
        if (shape_.has_free_route()) {
          out_.warning(step_path(i, "id"), what + ", unless a function leads there", "name it in 'next', too");
        } else {
          out_.error(step_path(i, "id"), what, "name it in 'next' of a step that is reached, or take it out");
        }
      }
    }
  }

  void check_loops() {
    if (flow_.limits.max_steps > 0 || flow_.limits.wall_clock) {
      return;
    }
    std::set<std::size_t> told;
    const auto tell = [&](const std::vector<std::size_t>& loop, const std::string& what) {
      if (!is_bought(loop) &&
          std::none_of(loop.begin(), loop.end(), [&](std::size_t at) { return told.contains(at); })) {
        out_.warning(place_of(loop), "the loop of " + names_of(loop) + what, "add max_steps or wall_clock to [limits]");
        told.insert(loop.begin(), loop.end());
      }
    };
    for (const auto& loop : shape_.endless_loops()) {
      tell(loop, " never ends: each of its routes is always taken");
    }
    for (const auto& loop : shape_.loops()) {
      tell(loop, " has no limit");
    }
  }

  // A budget ends it, since each round uses some up: time, whatever is executed; money and tokens, what may cost any.
  bool is_bought(const std::vector<std::size_t>& loop) const {
    const auto& budget = flow_.limits.budget;
    return std::any_of(loop.begin(), loop.end(), [&](std::size_t index) {
      const auto& each = flow_.steps[index];
      const auto& call = each.map ? each.map->function : each.function;
      const bool may_cost = !call || !shape_.facts(index).is_probe || call->name == "probe.usage";
      return !each.gate && (budget.time || ((budget.microusd || budget.tokens) && may_cost));
    });
  }

  std::string names_of(const std::vector<std::size_t>& loop) const {
    std::string names;
    for (const std::size_t index : loop) {
      names += (names.empty() ? "" : ", ") + quoted(flow_.steps[index].id.str());
    }
    return names;
  }

  // Where the first step of the loop goes on.
  std::string place_of(const std::vector<std::size_t>& loop) const {
    const step& first = flow_.steps[loop.front()];
    if (!first.next.empty()) {
      return step_path(loop.front(), "next");
    }
    return step_path(loop.front(), first.on_error ? "on_error" : first.function ? "args" : "id");
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
