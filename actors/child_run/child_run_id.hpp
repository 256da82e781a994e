// How the child run of a task is called.
#pragma once

#include "messages/base/ids.hpp"

namespace troupe {

/// `r-` and twenty characters of Crockford's base 32 in lower case, as every run id that a node makes: the first 100 bits
/// of SHA-256 over the task's id and the number of its attempts that failed. An attempt that was interrupted counts as
/// none: the one that follows means the same child. Short, however deep children are nested. Never change: a task that
/// was interrupted finds its child by it.
run_id child_run_id(const task_id& task, int failures);

}  // namespace troupe
