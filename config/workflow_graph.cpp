#include "config/workflow_graph.hpp"

#include "config/workflow_shape.hpp"
#include "config/workflow_words.hpp"
#include "messages/base/json_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

std::string gate_text(const gate_policy& gate) {
  if (gate.levels.size() > 1) {
    return "gate of " + std::to_string(gate.levels.size()) + " levels";
  }
  const auto& only = gate.levels.front();
  if (only.votes == 1) {
    return "gate";
  }
  return "gate: " + std::to_string(only.votes) +
         (only.voters.empty() ? "" : " of " + std::to_string(only.voters.size())) + " votes";
}

// Under the id: who carries the step out.
std::string executor_text(const step& each) {
  std::string text;
  for (const auto& agent : each.agents) {
    text += (text.empty() ? "" : ", ") + agent.str();
  }
  if (each.consensus) {
    text += " (" + std::string{word_of(strategy_words, each.consensus->strategy)};
    text += (each.consensus->aggregator.empty() ? "" : ": " + each.consensus->aggregator.str()) + ')';
  }
  if (each.function) {
    text += each.function->name + "()";
  }
  if (each.gate) {
    text += gate_text(*each.gate);
  }
  if (each.map) {
    text += "for each " + each.map->as + ": " + each.map->agent.str() + each.map->workflow_file;
    text += each.map->function ? each.map->function->name + "()" : "";
  }
  return text;
}

std::string list_text(const std::vector<condition>& parts, std::string_view between);

std::string condition_text(const condition& holds) {
  static constexpr std::array<std::string_view, 8> signs{
      " = ", " != ", " > ", " >= ", " < ", " <= ", " exists ", " in "};
  switch (holds.is) {
    case condition::kind::compare:
      return holds.pointer + std::string{word_of(signs, holds.compares)} + holds.value.str();
    case condition::kind::all:
      return list_text(holds.parts, " and ");
    case condition::kind::any:
      return list_text(holds.parts, " or ");
    case condition::kind::negate:
      return "not " + list_text(holds.parts, "");
  }
  return {};
}

std::string list_text(const std::vector<condition>& parts, std::string_view between) {
  std::string text;
  for (const auto& part : parts) {
    text += (text.empty() ? "" : std::string{between}) + condition_text(part);
  }
  return '(' + text + ')';
}

struct edge {
  std::string from;
  std::string to;
  std::string label;
  bool is_failure = false;
};

// Steps by their ids, and a barrier before each join. Ids may be words of Mermaid's own (`end`), so nodes are numbered.
class drawing {
 public:
  explicit drawing(const workflow& flow) : flow_(flow) {
    for (const auto& each : flow.steps) {
      names_.try_emplace(each.id.str(), names_.size());
    }
    for (const auto& each : flow.steps) {
      add_routes(each);
    }
    for (const auto& each : flow.steps) {
      add_barrier(each);
    }
  }

  std::string node(const step_id& id) const { return 's' + number(id.str()); }
  std::string barrier(const step_id& id) const { return 'j' + number(id.str()); }

  /// By the names of nodes; routes to nowhere are left out.
  const std::vector<edge>& edges() const { return edges_; }

 private:
  std::string number(const std::string& id) const { return std::to_string(names_.at(id)); }

  void add_routes(const step& each) {
    for (const auto& way : each.next) {
      add(each, way.to, way.when ? condition_text(*way.when) : "", false);
    }
    const auto chosen = each.function ? facts_of(*each.function).routes : std::vector<std::string>{};
    for (const auto& to : chosen) {
      add(each, step_id{to}, "chosen", false);
    }
    if (each.on_error) {
      add(each, *each.on_error, "on error", true);
    }
  }

  void add(const step& from, const step_id& to, std::string label, bool is_failure) {
    const step* target = find_step(flow_, to);
    if (target != nullptr) {
      const bool joins = std::ranges::find(target->join, from.id) != target->join.end();
      edges_.push_back({node(from.id), joins ? barrier(to) : node(to), std::move(label), is_failure});
    }
  }

  // Who does not name the join arrives by completing.
  void add_barrier(const step& join) {
    for (const auto& from : join.join) {
      const step* waited = find_step(flow_, from);
      if (waited != nullptr && std::ranges::find(waited->next, join.id, &route::to) == waited->next.end()) {
        edges_.push_back({node(from), barrier(join.id), "", false});
      }
    }
    if (!join.join.empty()) {
      edges_.push_back({barrier(join.id), node(join.id), "", false});
    }
  }

  const workflow& flow_;
  std::map<std::string, std::size_t> names_;
  std::vector<edge> edges_;
};

// Mermaid reads quoted labels as HTML: what has a meaning there is written as a character reference.
std::string mermaid_label(std::string_view text) {
  std::string out = "\"";
  for (const char letter : repair_utf8(text)) {
    const bool is_special = std::string_view{"\"<>&#`\\{}[]()|;"}.find(letter) != std::string_view::npos;
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n') {
      out += "<br/>";
    } else if (is_special || code < 0x20U || code == 0x7FU) {
      out += '#' + std::to_string(code) + ';';
    } else {
      out += letter;
    }
  }
  return out + '"';
}

// A double-quoted string of the DOT language: only the quote has to be escaped, and the backslash not to escape more.
std::string dot_label(std::string_view text) {
  std::string out = "\"";
  for (const char letter : repair_utf8(text)) {
    if (letter == '"' || letter == '\\') {
      out += '\\';
    }
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '\n') {
      out += "\\n";
    } else {
      out += code < 0x20U ? ' ' : letter;
    }
  }
  return out + '"';
}

constexpr std::array<std::string_view, 5> mark_words{"completed", "running", "waiting", "failed", "cancelled"};

// Fill and line of each mark, and of a step that was not reached; all carry black text.
struct colours {
  std::string_view fill;
  std::string_view line;
};
constexpr std::array<colours, 5> mark_colours{{{"#d3f9d8", "#2b8a3e"},
                                               {"#d0ebff", "#1864ab"},
                                               {"#fff3bf", "#e67700"},
                                               {"#ffe3e3", "#c92a2a"},
                                               {"#e9ecef", "#495057"}}};
constexpr colours unreached_colours{"#ffffff", "#adb5bd"};

std::optional<step_mark> mark_of(const step_marks* marks, const step& each) {
  const auto found = marks == nullptr ? step_marks::const_iterator{} : marks->find(each.id);
  return marks == nullptr || found == marks->end() ? std::nullopt : std::optional{found->second};
}

std::string node_text(const step& each, std::optional<step_mark> mark) {
  const std::string executor = executor_text(each);
  return each.id.str() + (executor.empty() ? "" : '\n' + executor) +
         (mark ? '\n' + std::string{word_of(mark_words, *mark)} : "");
}

struct brackets {
  std::string_view open;
  std::string_view close;
};

// Where its shape says what it is, the start has a point of its own before it.
bool has_start_point(const workflow& flow) {
  const step* first = find_step(flow, flow.start);
  return first != nullptr && (first->gate || first->map);
}

brackets mermaid_shape(const workflow& flow, const step& each) {
  if (each.gate) {
    return {"{", "}"};
  }
  if (each.map) {
    return {"[[", "]]"};
  }
  return each.id == flow.start ? brackets{"([", "])"} : brackets{"[", "]"};
}

std::string mermaid_class(std::string_view name, const colours& look, std::string_view more) {
  return "  classDef " + std::string{name} + " fill:" + std::string{look.fill} + ",stroke:" + std::string{look.line} +
         ",color:#000000" + std::string{more} + '\n';
}

// The classes that are used, each with its steps.
std::string mermaid_marks(const workflow& flow, const drawing& drawn, const step_marks& marks) {
  std::map<std::optional<step_mark>, std::string> nodes;
  for (const auto& each : flow.steps) {
    auto& list = nodes[mark_of(&marks, each)];
    list += (list.empty() ? "" : ",") + drawn.node(each.id);
  }
  std::string out;
  for (const auto& [mark, list] : nodes) {
    const std::string name = mark ? std::string{word_of(mark_words, *mark)} : "unreached";
    out += mark ? mermaid_class(name, mark_colours.at(static_cast<std::size_t>(*mark)), "")
                : mermaid_class(name, unreached_colours, ",stroke-dasharray:4");
    out.append("  class ").append(list).append(" ").append(name).append("\n");
  }
  return out;
}

std::string dot_look(const workflow& flow, const step& each, const step_marks* marks) {
  std::string look;
  if (each.gate || each.map) {
    look += each.gate ? ", shape=diamond" : ", shape=box3d";
    look += marks == nullptr ? ", style=solid" : "";
  }
  look += each.id == flow.start && !each.gate && !each.map ? ", peripheries=2" : "";
  if (marks == nullptr) {
    return look;
  }
  const auto mark = mark_of(marks, each);
  const auto& used = mark ? mark_colours.at(static_cast<std::size_t>(*mark)) : unreached_colours;
  const std::string style = std::string{mark ? "filled" : "filled,dashed"} + (each.gate || each.map ? "" : ",rounded");
  return look + ", style=\"" + style + "\", fillcolor=\"" + std::string{used.fill} + "\", color=\"" +
         std::string{used.line} + '"';
}

}  // namespace

std::string to_mermaid(const workflow& flow, const step_marks* marks) {
  const drawing drawn{flow};
  std::string out = "flowchart TD\n";
  for (const auto& each : flow.steps) {
    const auto [open, close] = mermaid_shape(flow, each);
    out += "  " + drawn.node(each.id) + std::string{open} + mermaid_label(node_text(each, mark_of(marks, each))) +
           std::string{close} + '\n';
  }
  for (const auto& each : flow.steps) {
    out += each.join.empty() ? "" : "  " + drawn.barrier(each.id) + "{{\"all\"}}\n";
  }
  if (has_start_point(flow)) {
    out += "  start((\" \"))\n  start --> " + drawn.node(flow.start) + '\n';
  }
  for (const auto& [from, to, label, is_failure] : drawn.edges()) {
    out += "  " + from + (is_failure ? " -.->" : " -->");
    out += (label.empty() ? "" : '|' + mermaid_label(label) + '|') + ' ' + to + '\n';
  }
  return marks == nullptr ? out : out + mermaid_marks(flow, drawn, *marks);
}

std::string to_dot(const workflow& flow, const step_marks* marks) {
  const drawing drawn{flow};
  std::string out = "digraph " + dot_label(flow.name) + " {\n  node [shape=box, style=rounded];\n";
  for (const auto& each : flow.steps) {
    out += "  " + drawn.node(each.id) + " [label=" + dot_label(node_text(each, mark_of(marks, each))) +
           dot_look(flow, each, marks) + "];\n";
  }
  for (const auto& each : flow.steps) {
    out += each.join.empty() ? ""
                             : "  " + drawn.barrier(each.id) +
                                   " [label=\"\", shape=box, style=filled, fillcolor=black, width=1.2, height=0.06];\n";
  }
  if (has_start_point(flow)) {
    out += "  start [label=\"\", shape=point, width=0.15];\n  start -> " + drawn.node(flow.start) + ";\n";
  }
  for (const auto& [from, to, label, is_failure] : drawn.edges()) {
    out.append("  ").append(from).append(" -> ").append(to);
    if (!label.empty()) {
      out += " [label=" + dot_label(label) + (is_failure ? ", style=dashed" : "") + ']';
    }
    out += ";\n";
  }
  return out + "}\n";
}

}  // namespace troupe
