// What a superstep begins with beyond its tasks, as the column supersteps.standing.
#pragma once

#include "messages/run.hpp"
#include "messages/views.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// `{"arrivals":[[join,from,path],...],"steps":[[step,path],...]}`
std::string standing_text(const superstep_standing& standing);

/// None where `text` is not what standing_text gives.
std::optional<superstep_standing> standing_from(std::string_view text);

/// Of a superstep that was opened before its standing had a column: its steps by its tasks, which lack a path.
superstep_standing standing_of(const std::vector<task_view>& tasks);

}  // namespace troupe
