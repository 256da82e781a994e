#include "runtime/json/json_object.hpp"

namespace troupe {

void json_object::key(std::string_view name) {
  if (!members_.empty()) {
    members_ += ',';
  }
  append_json_string(members_, name);
  members_ += ':';
}

json_object& json_object::text(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(members_, value);
  return *this;
}

json_object& json_object::text_or_null(std::string_view name, std::string_view value) {
  return value.empty() ? null(name) : text(name, value);
}

json_object& json_object::number(std::string_view name, std::int64_t value) {
  key(name);
  members_ += std::to_string(value);
  return *this;
}

json_object& json_object::number_or_null(std::string_view name, const std::optional<std::int64_t>& value) {
  return value ? number(name, *value) : null(name);
}

json_object& json_object::real(std::string_view name, double value) {
  key(name);
  append_json_number(members_, value);
  return *this;
}

json_object& json_object::boolean(std::string_view name, bool value) {
  return raw(name, value ? "true" : "false");
}

json_object& json_object::time(std::string_view name, const std::optional<timestamp>& value) {
  return value ? text(name, std::string_view{to_rfc3339(*value)}) : null(name);
}

json_object& json_object::null(std::string_view name) {
  return raw(name, "null");
}

json_object& json_object::raw(std::string_view name, std::string_view json) {
  key(name);
  members_ += json;
  return *this;
}

json_object& json_object::raw(std::string_view name, const json_text& json) {
  return raw(name, json.str());
}

std::string json_object::str() const {
  return '{' + members_ + '}';
}

json_array& json_array::raw(std::string_view json) {
  if (!elements_.empty()) {
    elements_ += ',';
  }
  elements_ += json;
  return *this;
}

json_array& json_array::text(std::string_view value) {
  return raw(json_string(value));
}

std::string json_array::str() const {
  return '[' + elements_ + ']';
}

}  // namespace troupe
