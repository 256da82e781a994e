#include "runtime/cli/json_parts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace troupe {

const boost::json::value* member(const boost::json::value& value, std::string_view name) noexcept {
  const boost::json::object* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::string text_member(const boost::json::value& value, std::string_view name) {
  const boost::json::value* found = member(value, name);
  return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
}

std::optional<std::int64_t> number_member(const boost::json::value& value, std::string_view name) {
  const boost::json::value* found = member(value, name);
  return found != nullptr && found->is_int64() ? std::optional{found->get_int64()} : std::nullopt;
}

std::vector<std::string> texts_member(const boost::json::value& value, std::string_view name) {
  std::vector<std::string> texts;
  const boost::json::value* found = member(value, name);
  if (found != nullptr && found->is_array()) {
    for (const boost::json::value& each : found->get_array()) {
      if (each.is_string()) {
        texts.emplace_back(each.get_string());
      }
    }
  }
  return texts;
}

}  // namespace troupe
