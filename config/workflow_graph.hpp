// A workflow as a drawing, for `troupe graph`. Pure; the same workflow gives the same text.
#pragma once

#include "messages/workflow.hpp"

#include <string>

namespace troupe {

/// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html).
std::string to_mermaid(const workflow& flow);

/// A Graphviz digraph (https://graphviz.org/doc/info/lang.html).
std::string to_dot(const workflow& flow);

}  // namespace troupe
