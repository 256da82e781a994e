#include "config/workflow_graph.hpp"

#include "config/workflow_words.hpp"
#include "messages/base/json_text.hpp"

#include <array>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

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
    text += "gate";
  }
  if (each.map) {
    text += "for each " + each.map->as + ": " + each.map->agent.str() + each.map->workflow_file;
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

std::vector<edge> edges_of(const workflow& flow) {
  std::vector<edge> edges;
  for (const auto& each : flow.steps) {
    for (const auto& way : each.next) {
      edges.push_back({each.id.str(), way.to.str(), way.when ? condition_text(*way.when) : "", false});
    }
    if (each.on_error) {
      edges.push_back({each.id.str(), each.on_error->str(), "on error", true});
    }
  }
  return edges;
}

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

// Ids may be words of Mermaid's own (`end`), so nodes are numbered.
std::map<std::string, std::string> node_names(const workflow& flow) {
  std::map<std::string, std::string> names;
  for (const auto& each : flow.steps) {
    names.try_emplace(each.id.str(), "s" + std::to_string(names.size()));
  }
  return names;
}

std::string node_text(const step& each) {
  const std::string executor = executor_text(each);
  return each.id.str() + (executor.empty() ? "" : '\n' + executor);
}

}  // namespace

std::string to_mermaid(const workflow& flow) {
  const auto names = node_names(flow);
  std::string out = "flowchart TD\n";
  for (const auto& each : flow.steps) {
    const bool is_start = each.id == flow.start;
    out += "  " + names.at(each.id.str()) + (is_start ? "([" : "[") + mermaid_label(node_text(each)) +
           (is_start ? "])\n" : "]\n");
  }
  for (const auto& [from, to, label, is_failure] : edges_of(flow)) {
    if (!names.contains(to)) {
      continue;
    }
    out += "  " + names.at(from) + (is_failure ? " -.->" : " -->");
    out += (label.empty() ? "" : '|' + mermaid_label(label) + '|') + ' ' + names.at(to) + '\n';
  }
  return out;
}

std::string to_dot(const workflow& flow) {
  const auto names = node_names(flow);
  std::string out = "digraph " + dot_label(flow.name) + " {\n  node [shape=box, style=rounded];\n";
  for (const auto& each : flow.steps) {
    out += "  " + names.at(each.id.str()) + " [label=" + dot_label(node_text(each)) +
           (each.id == flow.start ? ", peripheries=2" : "") + "];\n";
  }
  for (const auto& [from, to, label, is_failure] : edges_of(flow)) {
    if (!names.contains(to)) {
      continue;
    }
    out += "  " + names.at(from) + " -> " + names.at(to);
    if (!label.empty()) {
      out += " [label=" + dot_label(label) + (is_failure ? ", style=dashed" : "") + ']';
    }
    out += ";\n";
  }
  return out + "}\n";
}

}  // namespace troupe
