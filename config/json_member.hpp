// One field of a state, for a host that has a state as text.
#pragma once

#include "messages/base/json_text.hpp"

#include <optional>
#include <string_view>

namespace troupe {

/// The value of `name` in `object`; nothing where it is not there, or `object` is no object. `object` is canonical and
/// `name` the name of a field, which needs no escape.
std::optional<json_text> member_of(const json_text& object, std::string_view name);

}  // namespace troupe
