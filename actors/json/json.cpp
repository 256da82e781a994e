#include "actors/json/json.hpp"

#include "messages/base/invariant.hpp"
#include "messages/base/sha256.hpp"

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace troupe {
namespace {

// A value of the deepest kind, wrapped by a state, a list of deltas and a verdict, is read back.
constexpr std::size_t canonical_depth_max = 8 * json_depth_max;

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

// What boost::json::parser does with what basic_parser meets, but for numbers with a point or an exponent: its own
// reading of these is off by a unit in the last place for one in ten (Boost 1.81), and a state that is read and written
// at each superstep would drift. std::from_chars gives the nearest double.
struct value_builder {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  using text = boost::json::string_view;
  using failure = boost::system::error_code;

  boost::json::value_stack stack;
  std::size_t too_large_bytes = 0;  // The length of the number that no double holds, which ended the parsing.

  static bool on_document_begin(failure& /*failed*/) { return true; }
  static bool on_document_end(failure& /*failed*/) { return true; }
  static bool on_object_begin(failure& /*failed*/) { return true; }
  static bool on_array_begin(failure& /*failed*/) { return true; }
  static bool on_number_part(text /*digits*/, failure& /*failed*/) { return true; }
  static bool on_comment_part(text /*comment*/, failure& /*failed*/) { return true; }
  static bool on_comment(text /*comment*/, failure& /*failed*/) { return true; }

  bool on_object_end(std::size_t members, failure& /*failed*/) {
    stack.push_object(members);
    return true;
  }
  bool on_array_end(std::size_t elements, failure& /*failed*/) {
    stack.push_array(elements);
    return true;
  }
  bool on_key_part(text chars, std::size_t /*so_far*/, failure& /*failed*/) { return on_chars(chars); }
  bool on_string_part(text chars, std::size_t /*so_far*/, failure& /*failed*/) { return on_chars(chars); }
  bool on_key(text chars, std::size_t /*size*/, failure& /*failed*/) {
    stack.push_key(chars);
    return true;
  }
  bool on_string(text chars, std::size_t /*size*/, failure& /*failed*/) {
    stack.push_string(chars);
    return true;
  }
  bool on_int64(std::int64_t number, text /*digits*/, failure& /*failed*/) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, text /*digits*/, failure& /*failed*/) {
    stack.push_uint64(number);
    return true;
  }
  // `digits` is the whole number: the parser is given the whole text at once.
  bool on_double(double roughly, text digits, failure& failed) {
    double number = 0;
    const auto [stop, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (trouble == std::errc::result_out_of_range && std::fabs(roughly) > 1) {
      too_large_bytes = digits.size();
      failed = boost::json::error::exponent_overflow;
      return false;
    }
    stack.push_double(number);  // too small for a double: 0
    return true;
  }
  bool on_bool(bool value, failure& /*failed*/) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(failure& /*failed*/) {
    stack.push_null();
    return true;
  }

 private:
  bool on_chars(text chars) {
    stack.push_chars(chars);
    return true;
  }
};

result<boost::json::value> parse(std::string_view text, std::size_t depth_max) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<value_builder> parser{options};
  parser.handler().stack.reset();
  boost::system::error_code failed;
  const auto consumed = parser.write_some(false, text.data(), text.size(), failed);
  if (const auto length = parser.handler().too_large_bytes; length > 0) {
    return failure_at(text, consumed - std::min(length, consumed), "a number is larger than a double can hold");
  }
  if (failed) {
    return failure_at(text, consumed, failed.message());
  }
  const auto rest = text.find_first_not_of(" \t\r\n", consumed);
  if (rest != std::string_view::npos) {
    return failure_at(text, rest, "something follows the value");
  }
  return parser.handler().stack.release();
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

result<boost::json::value> parse(std::string_view text) { return parse(text, json_depth_max); }

boost::json::value parse(const json_text& text) { return parse_canonical(text.str()); }

boost::json::value parse_canonical(std::string_view text) {
  auto value = parse(text, canonical_depth_max);
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

std::optional<std::string> first_name(std::string_view pointer) {
  return pointer.starts_with('/') ? unescaped(pointer.substr(1, pointer.find('/', 1) - 1)) : std::nullopt;
}

std::string state_hash(const json_text& state) { return "sha256:" + sha256_hex(state.str()); }

}  // namespace troupe
