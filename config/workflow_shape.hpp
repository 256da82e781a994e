// The graph of a workflow by numbers, and what can be said of it without running it. Used by the checks only.
#pragma once

#include "messages/workflow.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Fields that a function of the workflow names: a probe (contract, section 3) does so in its arguments.
struct function_facts {
  bool is_probe = false;            ///< Else a function of the host, which may write any field.
  std::vector<std::string> fields;  ///< None: the call's value goes into the step's output.
};

function_facts facts_of(const function_call& call);

class workflow_shape {
 public:
  explicit workflow_shape(const workflow& flow);

  std::optional<std::size_t> index_of(const step_id& id) const;

  /// By every edge that may lead there: next, on_error, join.
  std::vector<bool> reachable() const;

  /// Groups of reachable steps that lead back to themselves by next, each in order of the file.
  std::vector<std::vector<std::size_t>> loops() const;

  /// Whether a condition in the group can choose not to go round again.
  bool can_leave(const std::vector<std::size_t>& loop) const;

  /// Fronts that come for certain, each without repetition. Ends where a front repeats, or after a bound.
  std::vector<std::vector<std::size_t>> certain_fronts() const;

  /// Some step that can be reached calls a function of the host.
  bool has_host_function() const;

  /// Fields that the step writes for certain: its output, or what its probe names.
  std::vector<std::string> written_by(std::size_t index) const;

 private:
  using edges = std::vector<std::vector<std::size_t>>;

  void add_edge(std::size_t from, const std::string& to, edges& into) const;

  const workflow& flow_;
  std::vector<function_facts> functions_;
  edges routes_;  ///< next
  edges all_;
  std::unordered_map<std::string, std::size_t> indices_;  ///< The first step of each id.
};

}  // namespace troupe
