#include "runtime/gate_edit.hpp"

#include "actors/json/json.hpp"
#include "config/problem.hpp"
#include "config/workflow_file.hpp"
#include "config/workflow_shape.hpp"
#include "storage/read_session.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

const state_field* declaration_of(const workflow& flow, std::string_view name) {
  const auto found = std::ranges::find_if(flow.state, [&](const state_field& each) { return each.name.str() == name; });
  return found == flow.state.end() ? nullptr : &*found;
}

// Taken out by null, a field begins anew.
std::string_view wanted_by(reducer reduce, const json::value& value) {
  if (value.is_null()) {
    return {};
  }
  switch (reduce) {
    case reducer::append:
    case reducer::set_union:
      return value.is_array() ? "" : "a list";
    case reducer::sum:
    case reducer::min:
    case reducer::max:
      return value.is_number() ? "" : "a number";
    case reducer::merge:
      return value.is_object() ? "" : "an object";
    case reducer::fail:
    case reducer::last:
      return {};
  }
  return {};
}

std::vector<std::string> known_fields(const workflow_shape& shape, std::string_view state) {
  auto known = shape.fields();
  known.emplace_back(last_error_name);
  const auto now = parse(state);
  if (now && now->is_object()) {
    for (const auto& field : now->get_object()) {
      known.emplace_back(field.key());
    }
  }
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  return known;
}

error unknown_field(const std::string& name, const std::vector<std::string>& known) {
  return {
      error_code::invalid_input,
      "the edit changes the field '" + name + "', which is not declared and which no step writes; nothing was decided",
      suggestion(name, known)};
}

error unsuitable(const state_field& field, const json::value& value, std::string_view wanted) {
  return {error_code::invalid_input,
          "the edit gives the field '" + field.name.str() + "' the value " + canonical(value).str() +
              ", but its reducer wants " + std::string{wanted} + "; nothing was decided",
          "give it " + std::string{wanted} + ", or null to take it out"};
}

}  // namespace

status check_edit(const workflow& flow, std::string_view state, const json_text& edit) {
  const auto changes = parse(edit.str());
  if (!changes || !changes->is_object()) {
    return error{error_code::invalid_input, "an edit is a JSON object; nothing was decided", ""};
  }
  const workflow_shape shape{flow};
  const auto known = known_fields(shape, state);
  for (const auto& change : changes->get_object()) {
    const std::string name{change.key()};
    const bool is_known = std::ranges::binary_search(known, name);
    if (!is_known && (!shape.has_host_function() || nearest_name(name, known))) {
      return unknown_field(name, known);
    }
    const auto* field = declaration_of(flow, name);
    const auto wanted = field == nullptr ? std::string_view{} : wanted_by(field->reduce, change.value());
    if (!wanted.empty()) {
      return unsuitable(*field, change.value(), wanted);
    }
  }
  return done;
}

status check_edit(read_session& stored, const run_id& run, const gate_place& place, const gate_decision& decision) {
  if (!decision.state_edit) {
    return done;
  }
  const auto gates = stored.list_gates(run);
  if (!gates) {
    return gates.error();
  }
  const auto gate = std::ranges::find(*gates, place, [](const gate_view& each) { return each.asked.place; });
  if (gate == gates->end() || gate->state != gate_state::open) {
    return done;
  }
  const auto rows = stored.load_recovery(run);
  if (!rows) {
    return rows.error();
  }
  const auto loaded = parse_workflow(rows->workflow_source, rows->run.workflow, "");
  return loaded.flow == nullptr ? status{done} : check_edit(*loaded.flow, rows->run.result.str(), *decision.state_edit);
}

}  // namespace troupe
