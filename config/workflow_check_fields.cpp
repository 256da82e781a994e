// Fields of the state: their initial values, and who writes them.
#include "config/probe_arguments.hpp"
#include "config/workflow_checks.hpp"
#include "config/workflow_words.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace troupe {
namespace {

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

// What the reducer starts from, by the first character of canonical JSON.
std::string_view wanted_initial(reducer reduce, char first) {
  const bool is_number = first == '-' || (first >= '0' && first <= '9');
  switch (reduce) {
    case reducer::append:
    case reducer::set_union:
      return first == '[' ? "" : "a list";
    case reducer::sum:
    case reducer::min:
    case reducer::max:
      return is_number ? "" : "a number";
    case reducer::merge:
      return first == '{' ? "" : "a table";
    case reducer::fail:
    case reducer::last:
      return "";
  }
  return "";
}

void check_initials(const workflow& flow, workflow_complaints& out) {
  std::set<field_name> seen;
  for (const auto& field : flow.state) {
    const std::string path = "state." + field.name.str();
    if (!seen.insert(field.name).second) {
      out.error(path, "field " + quoted(field.name.str()) + " is declared twice", "take one out");
    }
    const auto wanted = field.initial ? wanted_initial(field.reduce, field.initial->str().front()) : "";
    if (!wanted.empty()) {
      out.error(path + ".initial",
                "'initial' must be " + std::string{wanted} + ": the field is reduced by \"" +
                    std::string{word_of(reducer_words, field.reduce)} + '"');
    }
  }
}

reducer reducer_of(const workflow& flow, const std::string& field) {
  const auto found = std::find_if(
      flow.state.begin(), flow.state.end(), [&](const state_field& each) { return each.name.str() == field; });
  return found == flow.state.end() ? reducer::fail : found->reduce;
}

// Two steps of one front that write one field which takes one value each superstep.
void check_writers(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  std::set<std::pair<std::size_t, std::string>> told;
  for (const auto& front : shape.certain_fronts()) {
    std::map<std::string, std::size_t> writers;
    for (const std::size_t index : front) {
      const auto fields = shape.written_by(index);
      for (const auto& field : std::set<std::string>{fields.begin(), fields.end()}) {
        const auto [first, is_new] = writers.try_emplace(field, index);
        if (is_new || reducer_of(flow, field) != reducer::fail || !told.emplace(index, field).second) {
          continue;
        }
        out.warning(step_path(index, flow.steps[index].output.str() == field ? "output" : "args"),
                    "steps " + quoted(flow.steps[first->second].id.str()) + " and " +
                        quoted(flow.steps[index].id.str()) + " both write the field " + quoted(field) +
                        " in one superstep: MERGE_CONFLICT",
                    "give each an output of its own, or declare [state." + field +
                        "] with reduce = \"append\" or another reducer that takes several values");
      }
    }
  }
}

// A probe whose name says how it writes its field.
struct probe_wish {
  std::string_view name;
  std::string_view does;
  reducer first;  // the one to propose
  reducer other;
};

constexpr std::array<probe_wish, 2> probe_wishes{
    {{"probe.append", "adds an element to", reducer::append, reducer::set_union},
     {"probe.add", "adds a number to", reducer::sum, reducer::sum}}};

void refuse_probe(const probe_wish& wish,
                  const std::string& field,
                  reducer reduce,
                  bool is_declared,
                  const std::string& path,
                  workflow_complaints& out) {
  const std::string wanted = "reduce = \"" + std::string{word_of(reducer_words, wish.first)} + '"';
  out.error(
      path,
      quoted(std::string{wish.name}) + ' ' + std::string{wish.does} + " the field " + quoted(field) + ", which is " +
          (is_declared ? "" : "not declared and so ") + "reduced by \"" + std::string{word_of(reducer_words, reduce)} +
          '"',
      (is_declared ? "set " + wanted + " in [state." + field + "]" : "declare [state." + field + "] with " + wanted) +
          ", or call probe.set");
}

void check_probe(const workflow& flow, std::size_t index, const probe_wish& wish, workflow_complaints& out) {
  const auto fields = facts_of(*flow.steps[index].function).fields;
  for (const auto& field : std::set<std::string>{fields.begin(), fields.end()}) {
    const auto reduce = reducer_of(flow, field);
    if (reduce == wish.first || reduce == wish.other) {
      continue;
    }
    const bool is_declared = std::any_of(
        flow.state.begin(), flow.state.end(), [&](const state_field& each) { return each.name.str() == field; });
    refuse_probe(wish, field, reduce, is_declared, step_path(index, "args"), out);
  }
}

// A probe refuses what it does not know when it is called; here the place is known.
void check_arguments(const workflow_shape& shape,
                     std::size_t index,
                     const function_call& call,
                     const std::string& path,
                     workflow_complaints& out) {
  const auto probe = std::find_if(
      known_probes.begin(), known_probes.end(), [&](const probe_arguments& each) { return each.probe == call.name; });
  for (const auto& name : shape.facts(index).names) {
    if (probe != known_probes.end() && !takes(*probe, name)) {
      out.error(path, quoted(call.name) + " has no argument " + quoted(name), "its arguments: " + listed(*probe));
    }
  }
}

void check_probes(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const auto& each = flow.steps[i];
    if (const auto& call = each.map ? each.map->function : each.function) {
      check_arguments(shape, i, *call, step_path(i, each.map ? "map.args" : "args"), out);
    }
    for (const auto& wish : probe_wishes) {
      if (flow.steps[i].function && flow.steps[i].function->name == wish.name) {
        check_probe(flow, i, wish, out);
      }
    }
  }
}

}  // namespace

void check_fields(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  check_initials(flow, out);
  check_writers(flow, shape, out);
  check_probes(flow, shape, out);
}

}  // namespace troupe
