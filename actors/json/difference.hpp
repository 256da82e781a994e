// Where two JSON values differ.
#pragma once

#include "messages/base/json_text.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe {

struct json_difference {
  std::string pointer;            ///< RFC 6901; empty: the whole value.
  std::optional<json_text> left;  ///< None: there is nothing there.
  std::optional<json_text> right;
};

/// The places of `left` and `right` that differ, as deep as they can be told: members of objects in the order of their
/// names, elements of lists by their index. Numbers differ by their amount.
std::vector<json_difference> differences(const boost::json::value& left, const boost::json::value& right);

}  // namespace troupe
