#include "actors/run/child_inputs.hpp"

#include "actors/json/json.hpp"
#include "config/workflow_inputs.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <map>

namespace troupe {

result<json_text> child_inputs(const workflow& child,
                               const std::string& as,
                               const json_text& item,
                               const json_text& inputs) {
  std::map<std::string, json_text> given;
  const auto parent = parse(inputs);
  for (const auto& field : child.inputs) {
    if (const auto* value = parent.as_object().if_contains(field.name)) {
      given.insert_or_assign(field.name, canonical(*value));
    }
  }
  given.insert_or_assign(as, item);
  auto checked = check_inputs(child, given);
  const auto wrong = std::ranges::find(checked.problems, problem::severity::error, &problem::weight);
  if (wrong != checked.problems.end()) {
    return error{error_code::invalid_input,
                 "the child run cannot begin: " + wrong->message,
                 "a child gets the element as '" + as + "', and those inputs of its parent that it declares"};
  }
  return std::move(checked.values);
}

}  // namespace troupe
