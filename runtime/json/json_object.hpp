// Objects written member by member, in the order in which a reader wants to see them. Values that are JSON already are
// taken over as they are, so that a state of many megabytes is neither parsed nor copied twice.
#pragma once

#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

class json_object {
 public:
  json_object& text(std::string_view key, std::string_view value);
  json_object& text_or_null(std::string_view key, std::string_view value);  ///< Empty: null.
  json_object& number(std::string_view key, std::int64_t value);
  json_object& number_or_null(std::string_view key, const std::optional<std::int64_t>& value);
  json_object& real(std::string_view key, double value);
  json_object& boolean(std::string_view key, bool value);
  json_object& time(std::string_view key, const std::optional<timestamp>& value);  ///< RFC 3339.
  json_object& null(std::string_view key);
  json_object& raw(std::string_view key, std::string_view json);  ///< `json` is one document.
  json_object& raw(std::string_view key, const json_text& json);

  /// The object, closed.
  std::string str() const;

 private:
  void key(std::string_view name);

  std::string members_;
};

class json_array {
 public:
  json_array& raw(std::string_view json);
  json_array& text(std::string_view value);

  /// The list, closed.
  std::string str() const;

 private:
  std::string elements_;
};

}  // namespace troupe
