// Functions of the host whose results have a type of the host's own.
//
//   const auto plan = typed<plan_t>("make_plan", {.to_json = plan_json, .from_json = plan_from},
//                                   [](const function_request& request) -> result<plan_t> { ... });
//   plan.add_to(functions);                      // what the node gets
//   flow.step("plan").function(plan.name());     // what the workflow says
//   plan.read(run.result, field_name{"plan"});   // in a later function, or of the run that has ended
#pragma once

#include "config/json_member.hpp"
#include "messages/function.hpp"

#include <functional>
#include <string>
#include <utility>

namespace troupe {

/// How a type becomes JSON and is made from it again. Both are called on any thread, any number at once.
template <class Value>
struct json_form {
  std::function<json_text(const Value&)> to_json;            ///< Any JSON: it is made canonical.
  std::function<result<Value>(const json_text&)> from_json;  ///< INVALID_INPUT, or what fits, for other JSON.
};

/// Copies share nothing but what the given functions share.
template <class Value>
class typed_function {
 public:
  /// Called on a thread of the node, any number at once. An error fails the attempt with that code.
  using body = std::function<result<Value>(const function_request&)>;

  typed_function(std::string name, json_form<Value> form, body call)
      : name_(std::move(name)), form_(std::move(form)), call_(std::move(call)) {}

  const std::string& name() const noexcept { return name_; }

  /// Replaces what has this name.
  void add_to(function_table& table) const { table.insert_or_assign(name_, function()); }

  /// What the node calls: its reply has the value and nothing else.
  host_function function() const {
    return [form = form_, call = call_](const function_request& request) -> result<function_reply> {
      auto made = call(request);
      if (!made) {
        return made.error();
      }
      function_reply reply;
      reply.value = form.to_json(*made);
      return reply;
    };
  }

  /// What a step that calls this has left in `state`, where its output is `field`. NOT_FOUND: nothing yet, or the errors
  /// of from_json.
  result<Value> read(const json_text& state, const field_name& field) const {
    const auto found = member_of(state, field.str());
    if (!found) {
      return error{error_code::not_found,
                   "the state has no field '" + field.str() + "', which function '" + name_ + "' is to give",
                   "read it behind the step that calls the function"};
    }
    return form_.from_json(*found);
  }

  /// The same, of what a function sees.
  result<Value> read(const function_request& request, const field_name& field) const {
    return read(*request.state, field);
  }

 private:
  std::string name_;
  json_form<Value> form_;
  body call_;
};

template <class Value>
typed_function<Value> typed(std::string name, json_form<Value> form, typename typed_function<Value>::body call) {
  return {std::move(name), std::move(form), std::move(call)};
}

}  // namespace troupe
