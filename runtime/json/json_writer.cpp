#include "runtime/json/json_writer.hpp"

namespace troupe {

void object_writer::key(std::string_view name) {
  if (!members_.empty()) {
    members_ += ',';
  }
  append_json_string(members_, name);
  members_ += ':';
}

object_writer& object_writer::text(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(members_, value);
  return *this;
}

object_writer& object_writer::text_or_null(std::string_view name, std::string_view value) {
  return value.empty() ? null(name) : text(name, value);
}

object_writer& object_writer::number(std::string_view name, std::int64_t value) {
  key(name);
  members_ += std::to_string(value);
  return *this;
}

object_writer& object_writer::number_or_null(std::string_view name, const std::optional<std::int64_t>& value) {
  return value ? number(name, *value) : null(name);
}

object_writer& object_writer::real(std::string_view name, double value) {
  key(name);
  append_json_number(members_, value);
  return *this;
}

object_writer& object_writer::boolean(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

object_writer& object_writer::time(std::string_view name, const std::optional<timestamp>& value) {
  return value ? text(name, std::string_view{to_rfc3339(*value)}) : null(name);
}

object_writer& object_writer::null(std::string_view name) { return raw(name, "null"); }

object_writer& object_writer::raw(std::string_view name, std::string_view json) {
  key(name);
  members_ += json;
  return *this;
}

object_writer& object_writer::raw(std::string_view name, const json_text& json) { return raw(name, json.str()); }

std::string object_writer::str() const { return '{' + members_ + '}'; }

list_writer& list_writer::raw(std::string_view json) {
  if (!elements_.empty()) {
    elements_ += ',';
  }
  elements_ += json;
  return *this;
}

list_writer& list_writer::text(std::string_view value) { return raw(json_string(value)); }

std::string list_writer::str() const { return '[' + elements_ + ']'; }

}  // namespace troupe
