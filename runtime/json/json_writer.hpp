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

class object_writer {
 public:
  object_writer& text(std::string_view name, std::string_view value);
  object_writer& text_or_null(std::string_view name, std::string_view value);  ///< Empty: null.
  object_writer& number(std::string_view name, std::int64_t value);
  object_writer& number_or_null(std::string_view name, const std::optional<std::int64_t>& value);
  object_writer& real(std::string_view name, double value);
  object_writer& boolean(std::string_view name, bool value);
  object_writer& time(std::string_view name, const std::optional<timestamp>& value);  ///< RFC 3339.
  object_writer& null(std::string_view name);
  object_writer& raw(std::string_view name, std::string_view json);  ///< `json` is one document.
  object_writer& raw(std::string_view name, const json_text& json);

  /// The object, closed.
  std::string str() const;

 private:
  void key(std::string_view name);

  std::string members_;
};

class list_writer {
 public:
  list_writer& raw(std::string_view json);
  list_writer& text(std::string_view value);

  /// The list, closed.
  std::string str() const;

 private:
  std::string elements_;
};

}  // namespace troupe
