// Writes small JSON objects in canonical form: what events and verdicts hold.
#pragma once

#include "messages/base/json_text.hpp"

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// Members in any order; str() sorts them.
class json_object {
 public:
  json_object& add(const char* name, std::string_view text) { return add_raw(name, json_string(text)); }
  json_object& add(const char* name, const std::string& text) { return add(name, std::string_view{text}); }
  json_object& add(const char* name, const char* text) { return add(name, std::string_view{text}); }
  json_object& add(const char* name, bool truth) { return add_raw(name, truth ? "true" : "false"); }
  template <std::integral Number>
  json_object& add(const char* name, Number number) {
    return add_raw(name, std::to_string(number));
  }
  json_object& add(const char* name, double number) {
    std::string digits;
    append_json_number(digits, number);
    return add_raw(name, std::move(digits));
  }
  json_object& add(const char* name, const json_text& json) { return add_raw(name, json.str()); }

  /// `canonical` is JSON already.
  json_object& add_raw(const char* name, std::string canonical) {
    members_[name] = std::move(canonical);
    return *this;
  }

  std::string str() const {
    std::string out = "{";
    for (const auto& [name, value] : members_) {
      if (out.size() > 1) {
        out += ',';
      }
      append_json_string(out, name);
      out += ':';
      out += value;
    }
    return out + '}';
  }

 private:
  std::map<std::string, std::string, std::less<>> members_;
};

/// `[a,b]` of what `write` gives for each element.
template <class List, class Write>
std::string json_array(const List& list, Write write) {
  std::string out = "[";
  for (const auto& element : list) {
    if (out.size() > 1) {
      out += ',';
    }
    out += write(element);
  }
  return out + ']';
}

}  // namespace troupe
