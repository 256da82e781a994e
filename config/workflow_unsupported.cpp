// What the format has and this version does not execute. One line each: taking one out makes it runnable.
#include "config/workflow_checks.hpp"

#include <algorithm>

namespace troupe {
namespace {

class feature_checker {
 public:
  feature_checker(const workflow& flow, const source_map& positions) : flow_(flow), out_(flow, positions) {}

  std::vector<problem> check() {
    refuse(flow_.limits.budget_microusd.has_value(), "limits.budget_usd", "limits.budget_usd");
    for (std::size_t i = 0; i < flow_.steps.size(); ++i) {
      check_step(flow_.steps[i], i);
    }
    auto found = out_.take();
    sort_by_place(found);
    return found;
  }

 private:
  void check_step(const step& each, std::size_t index) {
    refuse(each.gate.has_value(), step_path(index, "gate"), "gate");
    refuse(each.map.has_value(), step_path(index, "map"), "map");
    refuse(!each.join.empty(), step_path(index, "join"), "join");
    refuse(each.on_error.has_value(), step_path(index, "on_error"), "on_error");
    refuse(each.on_crash.has_value(), step_path(index, "on_crash"), "on_crash");
    for (std::size_t i = 0; i < each.next.size(); ++i) {
      refuse(each.next[i].when.has_value(), list_path(step_path(index, "next"), i) + ".when", "when");
    }
  }

  void refuse(bool is_there, const std::string& path, std::string_view what) {
    if (is_there) {
      out_.error(path, "this version does not execute '" + std::string{what} + '\'', "take it out");
    }
  }

  const workflow& flow_;
  workflow_complaints out_;
};

}  // namespace

std::vector<problem> unsupported_features(const workflow& flow, const source_map& positions) {
  return feature_checker{flow, positions}.check();
}

}  // namespace troupe
