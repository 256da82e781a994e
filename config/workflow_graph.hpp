// A workflow as a drawing, for `troupe graph`. Pure; the same workflow gives the same text.
//
// A gate is a rhombus, a map a box behind others, a join a barrier before its step. The start has rounded ends in Mermaid
// and a double line in DOT; one that is a gate or a map has a point before it. Conditions and functions that choose
// are written at their routes, on_error is dashed.
#pragma once

#include "messages/workflow.hpp"

#include <map>
#include <string>

namespace troupe {

/// How far a run is with a step.
enum class step_mark {
  completed,
  running,
  waiting,  ///< For a person, for a time, or for its turn.
  failed,
  cancelled,
};

/// Steps that are not in it were not reached.
using step_marks = std::map<step_id, step_mark>;

/// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html). With `marks`, each step says and shows its own.
std::string to_mermaid(const workflow& flow, const step_marks* marks = nullptr);

/// A Graphviz digraph (https://graphviz.org/doc/info/lang.html). With `marks`, the same.
std::string to_dot(const workflow& flow, const step_marks* marks = nullptr);

}  // namespace troupe
