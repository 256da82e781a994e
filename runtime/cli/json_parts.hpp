// Looking into JSON that may or may not hold what is looked for.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Null where `value` is no object or has no such member.
const boost::json::value* member(const boost::json::value& value, std::string_view name) noexcept;

/// Empty where there is no text of that name.
std::string text_member(const boost::json::value& value, std::string_view name);
std::optional<std::int64_t> number_member(const boost::json::value& value, std::string_view name);
std::vector<std::string> texts_member(const boost::json::value& value, std::string_view name);

}  // namespace troupe
