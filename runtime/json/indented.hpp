// JSON over several lines, for people: order and spelling stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// `json` is one document. Two blanks to a level; empty lists and objects on one line. No line break at the end.
std::string indented(std::string_view json);

}  // namespace troupe
