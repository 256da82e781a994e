// What another process of ours wrote, read with patience: a member that is absent, null or of another type is nothing.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Nothing is the empty text, 0, false.
std::string text_in(const boost::json::object& from, std::string_view name);
std::int64_t number_in(const boost::json::object& from, std::string_view name);
bool truth_in(const boost::json::object& from, std::string_view name);

/// As to_rfc3339 writes it; any other text is nothing.
std::optional<timestamp> time_in(const boost::json::object& from, std::string_view name);

/// Null where there is none.
const boost::json::object* object_in(const boost::json::object& from, std::string_view name);

/// Of the elements of a list, those that are objects.
template <class Each>
void for_each_in(const boost::json::object& from, std::string_view name, Each each) {
  const auto* const list = from.if_contains(name);
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (const auto& one : list->get_array()) {
    if (one.is_object()) {
      each(one.get_object());
    }
  }
}

/// The document, where it is an object that has a member `needed`. INTERNAL: it is not, so nobody of ours wrote it.
result<boost::json::object> object_of(std::string_view json, std::string_view needed);

}  // namespace troupe
