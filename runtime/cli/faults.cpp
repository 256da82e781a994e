#include "runtime/cli/faults.hpp"

namespace troupe {

result<std::shared_ptr<fault_plan>> ordered_faults(const context& with) {
  const auto found = with.environment().find(faults_variable);
  return fault_plan::parse(found == with.environment().end() ? std::string_view{} : std::string_view{found->second});
}

void tell_used_faults(context& with, const fault_plan& faults) {
  for (const fault_view& each : faults.view()) {
    with.note("injected by " + std::string{faults_variable} + ": " + to_text(each));
  }
}

}  // namespace troupe
