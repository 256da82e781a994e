#include "actors/json/json.hpp"

#include "messages/base/invariant.hpp"
#include "messages/base/sha256.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace troupe {
namespace {

error failure_at(std::string_view text, std::size_t byte, const std::string& what) {
  byte = std::min(byte, text.size());
  const auto before = text.substr(0, byte);
  const auto line = 1 + std::ranges::count(before, '\n');
  const auto line_start = before.rfind('\n');
  const auto column = byte - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return {error_code::output_invalid,
          "not JSON at line " + std::to_string(line) + ", column " + std::to_string(column) + " (byte " +
              std::to_string(byte) + "): " + what,
          ""};
}

bool has_only_finite_numbers(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::double_:
      return std::isfinite(value.get_double());
    case boost::json::kind::array:
      return std::ranges::all_of(value.get_array(), has_only_finite_numbers);
    case boost::json::kind::object:
      return std::ranges::all_of(value.get_object(),
                                 [](const auto& member) { return has_only_finite_numbers(member.value()); });
    case boost::json::kind::null:
    case boost::json::kind::bool_:
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::string:
      return true;
  }
  return true;
}

void append_canonical(std::string& out, const boost::json::value& value);

void append_canonical(std::string& out, const boost::json::object& object) {
  std::vector<const boost::json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& member : object) {
    members.push_back(&member);
  }
  std::ranges::sort(members, [](const auto* a, const auto* b) {
    return std::string_view{a->key()} < std::string_view{b->key()};  // UTF-8 sorts by code point, byte by byte
  });
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) {
      out += ',';
    }
    append_json_string(out, member->key());
    out += ':';
    append_canonical(out, member->value());
  }
  out += '}';
}

void append_canonical(std::string& out, const boost::json::array& array) {
  out += '[';
  bool first = true;
  for (const auto& element : array) {
    if (!std::exchange(first, false)) {
      out += ',';
    }
    append_canonical(out, element);
  }
  out += ']';
}

void append_canonical(std::string& out, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "null";
      return;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case boost::json::kind::int64:
      out += std::to_string(value.get_int64());
      return;
    case boost::json::kind::uint64:
      out += std::to_string(value.get_uint64());
      return;
    case boost::json::kind::double_:
      append_json_number(out, value.get_double());
      return;
    case boost::json::kind::string:
      append_json_string(out, value.get_string());
      return;
    case boost::json::kind::array:
      append_canonical(out, value.get_array());
      return;
    case boost::json::kind::object:
      append_canonical(out, value.get_object());
      return;
  }
}

// One step of a pointer, `~1` and `~0` undone. Nothing if an escape is broken.
std::optional<std::string> unescaped(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      name += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1')) {
      return std::nullopt;
    }
    name += token[i] == '0' ? '~' : '/';
  }
  return name;
}

const boost::json::value* member_of(const boost::json::value& value, const std::string& name) {
  if (const auto* object = value.if_object()) {
    return object->if_contains(name);
  }
  const auto* array = value.if_array();
  const bool index = !name.empty() && name.size() < 10 &&
                     std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) &&
                     (name == "0" || name.front() != '0');
  return array != nullptr && index ? array->if_contains(std::stoul(name)) : nullptr;
}

}  // namespace

result<boost::json::value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::stream_parser parser{{}, options};
  boost::system::error_code failed;
  const auto consumed = parser.write_some(text.data(), text.size(), failed);
  if (!failed && consumed < text.size()) {
    const auto rest = text.find_first_not_of(" \t\r\n", consumed);
    if (rest != std::string_view::npos) {
      return failure_at(text, rest, "something follows the value");
    }
  }
  if (!failed) {
    parser.finish(failed);
  }
  if (failed) {
    return failure_at(text, consumed, failed.message());
  }
  auto value = parser.release();
  if (!has_only_finite_numbers(value)) {
    return failure_at(text, 0, "a number is larger than a double can hold");
  }
  return value;
}

boost::json::value parse(const json_text& text) {
  auto value = parse(std::string_view{text.str()});
  invariant(value.has_value(), "canonical JSON parses");
  return *std::move(value);
}

json_text canonical(const boost::json::value& value) {
  std::string out;
  append_canonical(out, value);
  return json_text{std::move(out)};
}

const boost::json::value* find(const boost::json::value& value, std::string_view pointer) {
  const auto* at = &value;
  while (at != nullptr && !pointer.empty()) {
    if (pointer.front() != '/') {
      return nullptr;
    }
    const auto end = std::min(pointer.find('/', 1), pointer.size());
    const auto name = unescaped(pointer.substr(1, end - 1));
    at = name ? member_of(*at, *name) : nullptr;
    pointer.remove_prefix(end);
  }
  return at;
}

std::string state_hash(const json_text& state) { return "sha256:" + sha256_hex(state.str()); }

}  // namespace troupe
