#include "config/workflow_shape.hpp"

#include "config/toml_text.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view probe_prefix = "probe.";
constexpr std::size_t fronts_max = 1'000;

constexpr std::string_view routing_probe = "probe.route";

// A name, or a list of names.
void add_names(const toml_node* node, std::vector<std::string>& into) {
  const auto* list = node != nullptr ? node->as<toml_list>() : nullptr;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    add_names(&(*list)[i], into);
  }
  if (const auto* name = node != nullptr ? node->as<std::string>() : nullptr) {
    into.push_back(*name);
  }
}

void read_probe(const std::string& probe, const toml_table& args, function_facts& out) {
  for (const auto& member : args.members) {
    out.names.push_back(member.key);
  }
  add_names(args.find("field"), out.fields);
  if (probe == routing_probe) {
    add_names(args.find("to"), out.routes);
  }
}

bool has_condition(const step& each) {
  return std::ranges::any_of(each.next, [](const route& way) { return way.when.has_value(); });
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
    read_probe(call.name, *table, out);
  }
  const auto* list = args->as<toml_list>();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (const auto* table = (*list)[i].as<toml_table>()) {
      read_probe(call.name, *table, out);
    }
  }
  return out;
}

workflow_shape::workflow_shape(const workflow& flow)
    : flow_(flow), functions_(flow.steps.size()), all_(flow.steps.size()), certain_(flow.steps.size()) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    indices_.try_emplace(flow.steps[i].id.str(), i);
  }
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const step& each = flow.steps[i];
    if (const auto& call = each.map ? each.map->function : each.function) {
      functions_[i] = facts_of(*call);
    }
    for (const auto& way : each.next) {
      add_edge(i, way.to.str(), all_);
    }
    if (each.function) {
      for (const auto& to : functions_[i].routes) {
        add_edge(i, to, all_);
      }
    }
    if (each.on_error) {
      add_edge(i, each.on_error->str(), all_);
    }
    add_certain_edges(i);
  }
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    for (const auto& from : flow.steps[i].join) {
      if (const auto index = index_of(from); index && *index != i) {
        all_[*index].push_back(i);
      }
    }
  }
}

// A gate may be rejected or expire, a condition may not hold, a function of the host may choose, a join may wait.
void workflow_shape::add_certain_edges(std::size_t from) {
  const step& each = flow_.steps[from];
  const bool has_own = each.function && !functions_[from].routes.empty();
  if (each.gate || (each.function && is_host(from)) || (!has_own && has_condition(each))) {
    return;
  }
  std::vector<std::string> targets = has_own ? functions_[from].routes : std::vector<std::string>{};
  for (std::size_t i = 0; !has_own && i < each.next.size(); ++i) {
    targets.push_back(each.next[i].to.str());
  }
  for (const auto& to : targets) {
    const auto index = index_of(step_id{to});
    if (index && flow_.steps[*index].join.empty()) {
      certain_[from].push_back(*index);
    }
  }
}

bool workflow_shape::is_host(std::size_t index) const {
  const step& each = flow_.steps[index];
  return (each.function || (each.map && each.map->function)) && !functions_[index].is_probe;
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

std::vector<std::vector<std::size_t>> workflow_shape::loops() const { return loops_by(all_); }

std::vector<std::vector<std::size_t>> workflow_shape::endless_loops() const { return loops_by(certain_); }

// Kosaraju: the steps that reach each other, by two depth-first walks.
std::vector<std::vector<std::size_t>> workflow_shape::loops_by(const edges& next) const {
  const std::size_t count = flow_.steps.size();
  const auto alive = reachable();
  std::vector<bool> seen(count);
  std::vector<std::size_t> order;
  edges back(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!seen[i]) {
      leave_order(i, next, seen, order);
    }
    for (const std::size_t to : next[i]) {
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
    const bool is_loop = group.size() > 1 ||
                         (group.size() == 1 && std::count(next[group[0]].begin(), next[group[0]].end(), group[0]) > 0);
    if (is_loop && alive[group[0]]) {
      std::sort(group.begin(), group.end());
      out.push_back(std::move(group));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::vector<std::size_t>> workflow_shape::certain_fronts() const {
  std::vector<std::vector<std::size_t>> fronts;
  std::set<std::set<std::size_t>> seen;
  std::set<std::size_t> front;
  if (const auto start = index_of(flow_.start); start && !flow_.steps[*start].gate) {
    front.insert(*start);
  }
  while (!front.empty() && fronts.size() < fronts_max && seen.insert(front).second) {
    fronts.emplace_back(front.begin(), front.end());
    std::set<std::size_t> next;
    for (const std::size_t index : front) {
      std::ranges::copy_if(certain_[index], std::inserter(next, next.end()), [&](std::size_t to) {
        return !flow_.steps[to].gate.has_value();
      });
    }
    front = std::move(next);
  }
  return fronts;
}

bool workflow_shape::has_host_function() const {
  const auto alive = reachable();
  for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
    if (alive[i] && is_host(i)) {
      return true;
    }
  }
  return false;
}

bool workflow_shape::has_free_route() const {
  const auto alive = reachable();
  for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
    if (alive[i] && flow_.steps[i].function && is_host(i)) {
      return true;
    }
  }
  return false;
}

// A map of an empty list writes its output, whatever its probe names.
std::vector<std::string> workflow_shape::written_by(std::size_t index) const {
  const step& each = flow_.steps[index];
  const auto& named = functions_[index].fields;
  if (is_host(index) || (each.map && !named.empty())) {
    return {};
  }
  return named.empty() ? std::vector<std::string>{each.output.str()} : named;
}

std::vector<std::string> workflow_shape::fields() const {
  std::set<std::string> all;
  for (const auto& field : flow_.state) {
    all.insert(field.name.str());
  }
  for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
    const auto& named = functions_[i].fields;
    all.insert(named.begin(), named.end());
    if (named.empty() || flow_.steps[i].map) {
      all.insert(flow_.steps[i].output.str());
    }
  }
  return {all.begin(), all.end()};
}

std::vector<bool> workflow_shape::behind_errors() const {
  std::vector<bool> seen(flow_.steps.size());
  std::vector<std::size_t> order;
  for (const auto& each : flow_.steps) {
    const auto handler = each.on_error ? index_of(*each.on_error) : std::nullopt;
    if (handler && !seen[*handler]) {
      leave_order(*handler, all_, seen, order);
    }
  }
  return seen;
}

}  // namespace troupe
