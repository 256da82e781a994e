#include "config/workflow_inputs.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

json_text object_of(const std::map<std::string, json_text>& members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    out += out.size() == 1 ? "" : ",";
    append_json_string(out, name);
    out += ':' + value.str();
  }
  return json_text{out + '}'};
}

problem input_problem(const std::string& name, source_position at, std::string message, std::string hint) {
  return {problem::severity::error,
          error_code::invalid_input,
          std::move(at),
          "inputs." + name,
          std::move(message),
          std::move(hint)};
}

}  // namespace

checked_inputs check_inputs(const workflow& flow, const std::map<std::string, json_text>& given) {
  checked_inputs out;
  std::map<std::string, json_text> values;
  std::vector<std::string> names;
  for (const auto& field : flow.inputs) {
    names.push_back(field.name);
    const auto found = given.find(field.name);
    if (found != given.end()) {
      values.insert_or_assign(field.name, found->second);
    } else if (field.default_value) {
      values.insert_or_assign(field.name, *field.default_value);
    } else if (field.required) {
      out.problems.push_back(input_problem(field.name,
                                           field.at,
                                           "input '" + field.name + "' is required and was not given",
                                           "add --input " + field.name + "=VALUE"));
    }
  }
  for (const auto& [name, value] : given) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string hint = names.empty() ? "the workflow declares no inputs" : suggestion(name, names);
      out.problems.push_back(input_problem(name, {}, "workflow '" + flow.name + "' has no input '" + name + "'", hint));
    }
  }
  out.values = out.problems.empty() ? object_of(values) : json_text{"{}"};
  return out;
}

json_text initial_state(const workflow& flow) {
  std::map<std::string, json_text> values;
  for (const auto& field : flow.state) {
    if (field.initial) {
      values.insert_or_assign(field.name.str(), *field.initial);
    }
  }
  return object_of(values);
}

}  // namespace troupe
