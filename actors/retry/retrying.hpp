// What follows a failed attempt: another at a time, another if its step wants one, or the end of the task. Pure.
#pragma once

#include "messages/attempt.hpp"
#include "messages/base/time.hpp"

#include <optional>

namespace troupe {

/// `judged`, or the same as retrying. What is not a failure stays as it is. `began`: when this attempt was started.
/// The last of several failures that another attempt might have mended is MAX_ATTEMPTS_EXCEEDED, with its cause.
task_outcome with_retry(const attempt_order& order, task_outcome judged, std::optional<timestamp> began, timestamp now);

/// What the attempt says about its provider. A program that ends badly is taken for a provider that does: programs seldom
/// tell.
permit_end permit_end_of(const task_outcome& judged);

}  // namespace troupe
