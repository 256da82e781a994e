// Where in the work a line of the log belongs. The text says what happened; the place is fields of their own, so that the
// lines of one run or one task can be found (runtime/observe/log.hpp shows them).
#pragma once

#include "messages/base/ids.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace troupe {

/// What is known of it; empty and 0 where it is not.
struct log_place {
  run_id run;
  step_id step;
  task_id task;
  attempt_no attempt;

  bool empty() const noexcept { return run.empty() && step.empty() && task.empty() && attempt == attempt_no{}; }
};

/// While it lives, what this thread logs belongs to the place, which outlives it. May be nested.
class logging_at {
 public:
  explicit logging_at(const log_place& place) noexcept;
  logging_at(const logging_at&) = delete;
  logging_at& operator=(const logging_at&) = delete;
  ~logging_at();

 private:
  const log_place* before_;
};

/// Of this thread at this moment; null: none. For whoever formats a line, on the thread that logs it.
const log_place* current_log_place() noexcept;

template <class... Args>
void log_at(const log_place& place,
            spdlog::level::level_enum level,
            spdlog::format_string_t<Args...> text,
            Args&&... args) {
  if (spdlog::should_log(level)) {
    const logging_at here{place};
    spdlog::log(level, "{}", fmt::format(text, std::forward<Args>(args)...));
  }
}

}  // namespace troupe
