// A large JSON object that is looked into at few places.
#pragma once

#include "messages/base/json_fields.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// A member is parsed when somebody first looks into it. One thread.
class opened_fields {
 public:
  opened_fields() = default;
  explicit opened_fields(json_fields fields) : fields_(std::move(fields)) {}

  /// A bug where `object` is none in canonical form.
  static opened_fields of(const json_text& object);

  const json_fields& fields() const noexcept { return fields_; }
  const json_text& text() const noexcept { return fields_.text(); }

  /// RFC 6901, as find() of actors/json/json.hpp has it. Lives as long as this.
  const boost::json::value* find(std::string_view pointer) const;

  /// Null: there is no member of this name.
  const boost::json::value* member(const std::string& name) const;

 private:
  json_fields fields_;
  mutable std::map<std::string, boost::json::value, std::less<>> opened_;
  mutable std::optional<boost::json::value> whole_;
};

}  // namespace troupe
