#include "messages/writes.hpp"

#include <array>

namespace troupe {

std::string_view kind_of(const write_command& command) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<write_command>> names{"create_run",
                                                                                   "start_attempt",
                                                                                   "record_output",
                                                                                   "finish_attempt",
                                                                                   "commit_superstep",
                                                                                   "end_run",
                                                                                   "resume_run",
                                                                                   "open_gate",
                                                                                   "decide_gate",
                                                                                   "expire_gate",
                                                                                   "reserve_budget"};
  return names[command.index()];
}

const run_id& run_of(const write_command& command) noexcept {
  return std::visit([](const auto& told) -> const run_id& { return told.run; }, command);
}

}  // namespace troupe
