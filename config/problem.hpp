// What is wrong with a file that a person wrote: where, what, and what would be right.
#pragma once

#include "messages/base/error.hpp"
#include "messages/workflow.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One finding about a workflow or a configuration. All are collected; a reader never stops at the first.
struct problem {
  enum class severity { error, warning };

  severity weight = severity::error;
  error_code code = error_code::invalid_config;
  source_position at;   ///< `file` may also be "--set KEY", "environment TROUPE_X" or "builder step 'x'", with line 0.
  std::string key;      ///< Path of the value: `writer.max_batch`, `step[2].next[0].to` (indices from 0).
  std::string message;  ///< What is wrong. One line.
  std::string hint;     ///< What would be right: the allowed values, the nearest known name. May be empty.
};

/// `review.toml:12:3: error: ...` and, indented below, the hint. No line break at the end.
std::string to_text(const problem& found);

bool has_errors(std::span<const problem> found) noexcept;

/// By file (in order of appearance), line and column; those of one place stay in order.
void sort_by_place(std::vector<problem>& found);

/// The first error as one operating error, with how many more there are in its message; nothing if all are warnings.
std::optional<error> first_error(std::span<const problem> found);

/// The candidate that `name` was probably meant to be, by Damerau-Levenshtein distance (optimal string alignment):
/// at most one edit in three characters. Ties go to the earlier candidate. Case is ignored in the first place.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

/// `did you mean 'x'?` where one is near, else `known: a, b, c` (at most 12 of them); empty if there are none.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace troupe
