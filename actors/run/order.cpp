#include "actors/run/order.hpp"

#include "actors/length_prefixed.hpp"
#include "messages/base/sha256.hpp"

#include <string_view>

namespace troupe {
namespace {

std::uint64_t first_eight_bytes(std::string_view text) {
  const auto digest = sha256(text);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = (number << 8U) | digest[i];
  }
  return number;
}

}  // namespace

std::uint64_t run_seed(const run_id& run) { return first_eight_bytes(run.str()); }

std::uint64_t task_seed(const run_id& run, const task_id& task, attempt_no attempt) {
  std::string text;
  append_part(text, run.str());
  append_part(text, task.str());
  append_part(text, std::to_string(attempt.value()));
  return first_eight_bytes(text);
}

std::string superstep_key(const run_id& run,
                          superstep_no superstep,
                          std::span<const std::string> front,
                          const json_text& state) {
  std::string text;
  append_part(text, run.str());
  append_part(text, std::to_string(superstep.value()));
  append_part(text, std::to_string(front.size()));
  for (const auto& task : front) {
    append_part(text, task);
  }
  append_length(text, state.str().size());
  sha256_stream all;
  all.add(text);
  all.add(state.str());
  return "sha256:" + to_hex(all.finish());
}

}  // namespace troupe
