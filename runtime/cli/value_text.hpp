// A JSON value as people read it: findings like a compiler's, lists, and `key: value`.
#pragma once

#include "runtime/cli/style.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace troupe {

struct value_look {
  const style& look;
  std::size_t elements_max = 0;  ///< Of each list; what is cut is counted. 0: all.
  /// Canonical text of a value to those who gave it: shown behind the element of a list.
  const std::map<std::string, std::vector<std::string>>& givers;
};

/// Lines, each with its line break. Texts are printed as they are, made safe.
std::string value_text(const boost::json::value& value, const value_look& with);

/// True for what stands behind its key on one line.
bool is_short(const boost::json::value& value);

}  // namespace troupe
