// Where conditions, maps and gates look in the state: at fields that somebody writes.
#include "config/workflow_checks.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string quoted(const std::string& name) { return '\'' + name + '\''; }

// The first name of a JSON pointer; empty of the whole.
std::string field_of(std::string_view pointer) {
  std::string name;
  for (std::size_t at = 1; at < pointer.size() && pointer[at] != '/'; ++at) {
    const bool is_escape = pointer[at] == '~' && at + 1 < pointer.size();
    at += is_escape ? 1U : 0U;
    name += !is_escape ? pointer[at] : pointer[at] == '1' ? '/' : '~';
  }
  return name;
}

class pointer_checker {
 public:
  pointer_checker(const workflow& flow, const workflow_shape& shape, workflow_complaints& out)
      : flow_(flow),
        out_(out),
        fields_(shape.fields()),
        weight_(shape.has_host_function() ? problem::severity::warning : problem::severity::error),
        behind_errors_(shape.behind_errors()) {}

  void check() {
    for (index_ = 0; index_ < flow_.steps.size(); ++index_) {
      const step& each = flow_.steps[index_];
      for (std::size_t i = 0; i < each.next.size(); ++i) {
        check_condition(list_path(step_path(index_, "next"), i) + ".when", each.next[i].when);
      }
      if (each.gate) {
        check_gate(*each.gate);
      }
      if (each.map) {
        check_pointer(step_path(index_, "map.over"), each.map->over, weight_);
      }
    }
  }

 private:
  void check_gate(const gate_policy& gate) {
    for (std::size_t i = 0; i < gate.levels.size(); ++i) {
      check_condition(level_path(out_, index_, i) + ".when", gate.levels[i].when);
    }
    check_condition(step_path(index_, "gate.approved_when"), gate.approved_when);
    check_pointer(step_path(index_, "gate.action"), gate.action.value_or(""), weight_);
  }

  void check_condition(const std::string& path, const std::optional<condition>& when) {
    if (when) {
      check_parts(path, *when);
    }
  }

  void check_parts(const std::string& path, const condition& when) {
    switch (when.is) {
      case condition::kind::compare:
        check_pointer(path + ".path", when.pointer, problem::severity::warning);
        break;
      case condition::kind::all:
        check_list(path + ".all", when.parts);
        break;
      case condition::kind::any:
        check_list(path + ".any", when.parts);
        break;
      case condition::kind::negate:
        for (const auto& part : when.parts) {
          check_parts(path + ".not", part);
        }
        break;
    }
  }

  void check_list(const std::string& path, const std::vector<condition>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      check_parts(list_path(path, i), parts[i]);
    }
  }

  void check_pointer(const std::string& path, const std::string& pointer, problem::severity weight) {
    const std::string field = field_of(pointer);
    const bool is_known =
        std::ranges::binary_search(fields_, field) || (field == last_error_name && behind_errors_[index_]);
    if (field.empty() || is_known) {
      return;
    }
    const std::string what = quoted(pointer) + ": there is no field " + quoted(field);
    const std::string hint = nearest_name(field, fields_) ? suggestion(field, fields_)
                                                          : "declare it: [state." + field +
                                                                "]; a step writes its "
                                                                "result to the field of its 'output'";
    if (weight == problem::severity::warning) {
      out_.warning(path, what, hint);
    } else {
      out_.error(path, what, hint);
    }
  }

  const workflow& flow_;
  workflow_complaints& out_;
  std::vector<std::string> fields_;
  // Without that field, a map or an action fails, and a condition has an answer. A function of the host may write a
  // field that nothing here names.
  problem::severity weight_;
  std::vector<bool> behind_errors_;
  std::size_t index_ = 0;
};

}  // namespace

void check_pointers(const workflow& flow, const workflow_shape& shape, workflow_complaints& out) {
  pointer_checker{flow, shape, out}.check();
}

}  // namespace troupe
