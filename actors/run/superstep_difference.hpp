// Where two runs part: one superstep of each, side by side. Pure.
#pragma once

#include "messages/journal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Named by to_string in JSON: never rename.
enum class difference_subject {
  steps,    ///< Which steps and tasks it has.
  outcome,  ///< How a task ended.
  value,    ///< What a task gave.
  deltas,   ///< What a task, or the whole superstep, changes.
  route,    ///< Where a function goes on.
  gates,    ///< What people decided.
  state,    ///< What it leaves.
  length,   ///< One of the runs has no such superstep.
  end,      ///< What the run came to.
};

std::string_view to_string(difference_subject what) noexcept;

struct superstep_difference {
  superstep_no superstep;
  difference_subject what = difference_subject::steps;
  std::optional<step_id> step{};
  std::optional<agent_name> agent{};
  std::optional<std::int64_t> item{};  ///< Of a map.
  std::string left;
  std::string right;
};

/// The first difference of two supersteps of one number, in the order in which they come about: steps, then their tasks
/// in graph order, then decisions, then what it comes to. When it was, how often it was tried and who carried it out is
/// none.
std::optional<superstep_difference> first_difference(const recorded_superstep& left, const recorded_superstep& right);

}  // namespace troupe
