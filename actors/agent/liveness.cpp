#include "actors/agent/liveness.hpp"

#include "actors/agent/outcome.hpp"

#include <string>

namespace troupe {
namespace {

constexpr std::int64_t busy_divisor = 50;
constexpr std::size_t line_bytes_max = 80;

std::string last_output(const attempt_end& end) {
  const auto bytes = end.standard_output_bytes + end.standard_error_bytes;
  if (bytes == 0 || !end.exit.last_output_at) {
    return "it had printed nothing";
  }
  std::string text = "the last of " + std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes") + " came at " +
                     to_rfc3339(*end.exit.last_output_at);
  const auto& stream = end.standard_output->empty() ? end.standard_error : end.standard_output;
  const auto line = last_line_for_display(*stream, line_bytes_max);
  return line.empty() ? text : text + ": " + line;
}

std::string processor_time(const attempt_end& end) {
  const auto used = std::chrono::duration_cast<milliseconds>(end.exit.cpu_time);
  std::string text = "; its processes used " + to_text(used) + " of processor time";
  if (end.silence) {
    text += is_busy(*end.silence) ? " and were busy" : " and were idle";
  }
  return text;
}

std::string hint_for(const attempt_end& end, const std::string& key) {
  return end.silence && !is_busy(*end.silence) ? "look at what the program waits for; " + key + " is the limit"
                                               : "raise " + key + ", or let the program say that it works";
}

}  // namespace

bool is_busy(const process_silence& seen) noexcept {
  return seen.cpu_recent.count() > 0 && seen.cpu_recent * busy_divisor >= seen.window;
}

error tell_overrun(const attempt_order& order, attempt_session::limit which, const attempt_end& end) {
  const std::string agent = "agents." + order.spec.name.str() + '.';
  switch (which) {
    case attempt_session::limit::timeout:
      return {error_code::task_timeout,
              "the attempt ran longer than " + to_text(order.limits.timeout.value_or(milliseconds{0})) +
                  " and was stopped; what it printed is kept",
              "raise the step's timeout"};
    case attempt_session::limit::first_output:
      return {error_code::task_timeout,
              "the attempt printed nothing within " + to_text(order.spec.first_output.value_or(milliseconds{0})) +
                  " (first_output) and was stopped" + processor_time(end),
              hint_for(end, agent + "first_output")};
    case attempt_session::limit::idle:
      return {error_code::task_timeout,
              "the attempt printed nothing for " + to_text(order.spec.idle_timeout.value_or(milliseconds{0})) +
                  " (idle_timeout) and was stopped" + processor_time(end) + "; " + last_output(end),
              hint_for(end, agent + "idle_timeout")};
  }
  return {error_code::task_timeout, "the attempt took too long and was stopped", ""};
}

}  // namespace troupe
