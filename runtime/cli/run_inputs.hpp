// The inputs of a run as they stand on the command line.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// `assignments`: `K=V`, where V is a text as it stands, or `K:=V`, where V is JSON; a later one of the same name wins.
/// They win over `file`, a JSON object, or a TOML file if its name ends in `.toml`; `-` is standard input, as JSON.
/// INVALID_INPUT. Blocks on reading.
result<std::map<std::string, json_text>> read_inputs(const std::vector<std::string>& assignments,
                                                     const std::optional<std::string>& file);

}  // namespace troupe
