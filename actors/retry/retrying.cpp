#include "actors/retry/retrying.hpp"

#include "actors/retry/backoff.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace troupe {
namespace {

error exhausted(const error& last, int failures) {
  return {
      error_code::max_attempts_exceeded,
      std::to_string(failures) + " attempts failed, at last " + std::string{to_string(last.code)} + ": " + last.message,
      last.hint};
}

}  // namespace

permit_end permit_end_of(const task_outcome& judged) {
  if (judged.state != task_state::failed) {
    return judged.state == task_state::completed ? permit_end::succeeded : permit_end::not_counted;
  }
  constexpr std::array failures{error_code::task_timeout,
                                error_code::provider_unavailable,
                                error_code::agent_exit,
                                error_code::agent_signal,
                                error_code::agent_no_output};
  const auto code = judged.why->code;
  if (code == error_code::rate_limited) {
    return permit_end::rate_limited;
  }
  if (code == error_code::agent_not_found) {
    return permit_end::not_counted;
  }
  return std::ranges::find(failures, code) == failures.end() ? permit_end::succeeded : permit_end::failed;
}

task_outcome with_retry(const attempt_order& order,
                        task_outcome judged,
                        std::optional<timestamp> began,
                        timestamp now) {
  if (judged.state != task_state::failed) {
    return judged;
  }
  const int failures = order.failures + 1;
  const auto first = order.first_started ? order.first_started : began;
  const auto elapsed = std::chrono::floor<milliseconds>(now - first.value_or(now));
  if (const auto decided =
          decide_retry(order.retry, *judged.why, failures, retry_seed(order.task.id, order.attempt), elapsed)) {
    judged.state = task_state::retrying;
    judged.retry = retry_wait{now + decided->delay, decided->delay};
    return judged;
  }
  const bool permanent = class_of(judged.why->code) == error_class::permanent;
  if (!permanent && order.waits_for_quorum) {
    judged.state = task_state::retrying;
  } else if (!permanent && failures > 1) {
    judged.why = exhausted(*judged.why, failures);
  }
  return judged;
}

}  // namespace troupe
