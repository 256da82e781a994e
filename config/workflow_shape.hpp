// The graph of a workflow by numbers, and what can be said of it without running it. For the checks, and for who edits a state.
#pragma once

#include "messages/workflow.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What a function of the workflow names: a probe (contract, section 3) does so in its arguments.
struct function_facts {
  bool is_probe = false;            ///< Else a function of the host, which may write any field and go anywhere.
  std::vector<std::string> fields;  ///< None: the call's value goes into the step's output.
  std::vector<std::string> routes;  ///< Of probe.route: they win over `next`.
  std::vector<std::string> names;   ///< Of the arguments, in each of their tables.
};

function_facts facts_of(const function_call& call);

class workflow_shape {
 public:
  explicit workflow_shape(const workflow& flow);

  std::optional<std::size_t> index_of(const step_id& id) const;

  /// By every edge that may lead there: next, a probe's route, on_error, join.
  std::vector<bool> reachable() const;

  /// Groups of reachable steps that may lead back to themselves, by the same edges, each in order of the file.
  std::vector<std::vector<std::size_t>> loops() const;

  /// Those that, once begun, nothing in them ends: each edge is always taken, short of a failure.
  std::vector<std::vector<std::size_t>> endless_loops() const;

  /// Fronts that come for certain, each without repetition; steps that may be in them are left out, and gates, whose
  /// decisions come when they come. Ends where a front repeats, or after a bound.
  std::vector<std::vector<std::size_t>> certain_fronts() const;

  /// Some step that can be reached calls a function of the host.
  bool has_host_function() const;

  /// Such a function stands where it may choose the steps that follow.
  bool has_free_route() const;

  /// Fields that the step writes for certain: its output, or what its probe names.
  std::vector<std::string> written_by(std::size_t index) const;

  /// Declared fields and those that steps may write; with has_host_function, there may be others. Sorted.
  std::vector<std::string> fields() const;

  /// By step: whether it may run behind an on_error, so that the state has last_error.
  std::vector<bool> behind_errors() const;

  const function_facts& facts(std::size_t index) const { return functions_[index]; }

 private:
  using edges = std::vector<std::vector<std::size_t>>;

  void add_edge(std::size_t from, const std::string& to, edges& into) const;
  void add_certain_edges(std::size_t from);
  std::vector<std::vector<std::size_t>> loops_by(const edges& next) const;
  bool is_host(std::size_t index) const;

  const workflow& flow_;
  std::vector<function_facts> functions_;  ///< Of each step's function, or that of its map.
  edges all_;
  edges certain_;                                         ///< What always follows, and does not wait for others.
  std::unordered_map<std::string, std::size_t> indices_;  ///< The first step of each id.
};

/// The field that a step's on_error finds its error in.
inline constexpr const char* last_error_name = "last_error";

}  // namespace troupe
