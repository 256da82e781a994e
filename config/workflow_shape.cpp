#include "config/workflow_shape.hpp"

#include "config/toml_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view probe_prefix = "probe.";
constexpr std::size_t fronts_max = 1'000;

void read_probe(const toml_table& args, function_facts& out) {
  const auto* field = args.find("field");
  const auto* name = field != nullptr ? field->as<std::string>() : nullptr;
  if (name != nullptr) {
    out.fields.push_back(*name);
  }
}

using edges = std::vector<std::vector<std::size_t>>;

// Steps in the order in which a depth-first walk leaves them, without recursion: a chain may be long.
void leave_order(std::size_t start, const edges& next, std::vector<bool>& seen, std::vector<std::size_t>& order) {
  std::vector<std::pair<std::size_t, std::size_t>> path{{start, 0}};
  seen[start] = true;
  while (!path.empty()) {
    auto& [at, edge] = path.back();
    if (edge == next[at].size()) {
      order.push_back(at);
      path.pop_back();
      continue;
    }
    const std::size_t to = next[at][edge++];
    if (!seen[to]) {
      seen[to] = true;
      path.emplace_back(to, 0);
    }
  }
}

}  // namespace

function_facts facts_of(const function_call& call) {
  function_facts out;
  out.is_probe = call.name.starts_with(probe_prefix);
  const auto args = out.is_probe ? parse_json(call.args.str()) : std::nullopt;
  if (!args) {
    return out;
  }
  if (const auto* table = args->as<toml_table>()) {
    read_probe(*table, out);
  }
  const auto* list = args->as<toml_list>();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (const auto* table = (*list)[i].as<toml_table>()) {
      read_probe(*table, out);
    }
  }
  return out;
}

workflow_shape::workflow_shape(const workflow& flow)
    : flow_(flow), functions_(flow.steps.size()), routes_(flow.steps.size()) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    indices_.try_emplace(flow.steps[i].id.str(), i);
  }
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const step& each = flow.steps[i];
    if (each.function) {
      functions_[i] = facts_of(*each.function);
    }
    for (const auto& way : each.next) {
      add_edge(i, way.to.str(), routes_);
    }
  }
  all_ = routes_;
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    if (flow.steps[i].on_error) {
      add_edge(i, flow.steps[i].on_error->str(), all_);
    }
    for (const auto& from : flow.steps[i].join) {
      if (const auto index = index_of(from)) {
        all_[*index].push_back(i);
      }
    }
  }
}

std::optional<std::size_t> workflow_shape::index_of(const step_id& id) const {
  const auto found = indices_.find(id.str());
  return found == indices_.end() ? std::nullopt : std::optional{found->second};
}

void workflow_shape::add_edge(std::size_t from, const std::string& to, edges& into) const {
  if (const auto index = index_of(step_id{to})) {
    into[from].push_back(*index);
  }
}

std::vector<bool> workflow_shape::reachable() const {
  std::vector<bool> seen(flow_.steps.size());
  std::vector<std::size_t> order;
  if (const auto start = index_of(flow_.start)) {
    leave_order(*start, all_, seen, order);
  }
  return seen;
}

// Kosaraju: the steps that reach each other, by two depth-first walks.
std::vector<std::vector<std::size_t>> workflow_shape::loops() const {
  const std::size_t count = flow_.steps.size();
  const auto alive = reachable();
  std::vector<bool> seen(count);
  std::vector<std::size_t> order;
  edges back(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!seen[i]) {
      leave_order(i, routes_, seen, order);
    }
    for (const std::size_t to : routes_[i]) {
      back[to].push_back(i);
    }
  }
  std::vector<std::vector<std::size_t>> out;
  seen.assign(count, false);
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    std::vector<std::size_t> group;
    if (!seen[*at]) {
      leave_order(*at, back, seen, group);
    }
    const bool is_loop =
        group.size() > 1 ||
        (group.size() == 1 && std::count(routes_[group[0]].begin(), routes_[group[0]].end(), group[0]) > 0);
    if (is_loop && alive[group[0]]) {
      std::sort(group.begin(), group.end());
      out.push_back(std::move(group));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool workflow_shape::can_leave(const std::vector<std::size_t>& loop) const {
  return std::any_of(loop.begin(), loop.end(), [&](std::size_t index) {
    const step& each = flow_.steps[index];
    return std::any_of(each.next.begin(), each.next.end(), [](const route& way) { return way.when.has_value(); });
  });
}

std::vector<std::vector<std::size_t>> workflow_shape::certain_fronts() const {
  std::vector<std::vector<std::size_t>> fronts;
  std::set<std::set<std::size_t>> seen;
  std::set<std::size_t> front;
  if (const auto start = index_of(flow_.start)) {
    front.insert(*start);
  }
  while (!front.empty() && fronts.size() < fronts_max && seen.insert(front).second) {
    fronts.emplace_back(front.begin(), front.end());
    std::set<std::size_t> next;
    for (const std::size_t index : front) {
      for (const auto& way : flow_.steps[index].next) {
        const auto to = index_of(way.to);
        if (to && !way.when && flow_.steps[*to].join.empty()) {
          next.insert(*to);
        }
      }
    }
    front = std::move(next);
  }
  return fronts;
}

bool workflow_shape::has_host_function() const {
  const auto alive = reachable();
  for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
    if (alive[i] && flow_.steps[i].function && !functions_[i].is_probe) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> workflow_shape::written_by(std::size_t index) const {
  const step& each = flow_.steps[index];
  const bool is_host = each.function && !functions_[index].is_probe;
  if (is_host || !functions_[index].fields.empty()) {
    return functions_[index].fields;
  }
  return {each.output.str()};
}

}  // namespace troupe
