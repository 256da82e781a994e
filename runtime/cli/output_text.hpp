// What agents printed, for people and for programs.
#pragma once

#include "messages/views.hpp"
#include "runtime/cli/context.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe {

/// `==> plan/claude, attempt 2, failed <==`
std::string output_heading(const task_view& task, const style& look);

/// The bytes as they came; on a terminal made safe, since they may hold anything.
void write_bytes(output& to, const std::string& bytes);

/// As task_json, with `stdout` and `stderr` as texts; invalid UTF-8 becomes U+FFFD.
std::string output_json(const output_view& printed);

}  // namespace troupe
