#include "messages/base/json_slices.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace troupe {
namespace {

// Past the string that starts at `from`; npos if it does not end.
std::size_t skip_string(std::string_view text, std::size_t from) {
  for (auto quote = text.find('"', from + 1); quote != std::string_view::npos; quote = text.find('"', quote + 1)) {
    auto escapes = quote;
    while (text[escapes - 1] == '\\') {
      --escapes;
    }
    if ((quote - escapes) % 2 == 0) {
      return quote + 1;
    }
  }
  return std::string_view::npos;
}

// Past the value that starts at `from`: to the comma or bracket that ends it.
std::size_t skip_value(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  std::size_t i = from;
  while (i < text.size()) {
    const char now = text[i];
    if (now == '"') {
      i = skip_string(text, i);
      if (i == std::string_view::npos) {
        return i;
      }
      continue;
    }
    if (now == '{' || now == '[') {
      ++depth;
    } else if (now == '}' || now == ']') {
      if (depth == 0) {
        break;
      }
      --depth;
    } else if (now == ',' && depth == 0) {
      break;
    }
    ++i;
  }
  return i > from && i < text.size() ? i : std::string_view::npos;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

// What follows a backslash, at `from`. Past it, or npos. Canonical form escapes no code point above U+001F by number.
std::size_t append_escape(std::string& out, std::string_view text, std::size_t from) {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const auto letter = letters.find(text[from]);
  if (letter != std::string_view::npos) {
    out += meanings[letter];
    return from + 1;
  }
  if (text[from] != 'u' || from + 5 > text.size()) {
    return std::string_view::npos;
  }
  std::uint32_t code = 0;
  const char* const first = text.data() + from + 1;
  const auto [stop, failure] = std::from_chars(first, first + 4, code, 16);
  if (failure != std::errc{} || stop != first + 4 || (code >= 0xD800U && code <= 0xDFFFU)) {
    return std::string_view::npos;
  }
  append_utf8(out, code);
  return from + 5;
}

}  // namespace

std::optional<std::string> decode_string(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') {
    return std::nullopt;
  }
  const auto inner = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size();) {
    if (inner[i] == '"') {
      return std::nullopt;
    }
    if (inner[i] != '\\') {
      out += inner[i++];
      continue;
    }
    i = i + 1 < inner.size() ? append_escape(out, inner, i + 1) : std::string_view::npos;
    if (i == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::vector<std::string_view>> split_array(std::string_view array) {
  if (array.size() < 2 || array.front() != '[' || array.back() != ']') {
    return std::nullopt;
  }
  std::vector<std::string_view> parts;
  if (array.size() == 2) {
    return parts;
  }
  for (std::size_t i = 1;;) {
    const auto end = skip_value(array, i);
    if (end == std::string_view::npos || array[end] == '}') {
      return std::nullopt;
    }
    parts.push_back(array.substr(i, end - i));
    if (array[end] == ']') {
      return end + 1 == array.size() ? std::optional{std::move(parts)} : std::nullopt;
    }
    i = end + 1;
  }
}

std::optional<std::vector<member_place>> find_members(std::string_view object) {
  if (object.size() < 2 || object.front() != '{' || object.back() != '}') {
    return std::nullopt;
  }
  std::vector<member_place> members;
  if (object.size() == 2) {
    return members;
  }
  for (std::size_t i = 1;;) {
    const auto colon = object[i] == '"' ? skip_string(object, i) : std::string_view::npos;
    if (colon == std::string_view::npos || colon >= object.size() || object[colon] != ':') {
      return std::nullopt;
    }
    const auto end = skip_value(object, colon + 1);
    if (end == std::string_view::npos || object[end] == ']') {
      return std::nullopt;
    }
    members.push_back({i, colon + 1, end});
    if (object[end] == '}') {
      return end + 1 == object.size() ? std::optional{std::move(members)} : std::nullopt;
    }
    i = end + 1;
  }
}

std::optional<std::vector<std::pair<std::string, std::string_view>>> split_object(std::string_view object) {
  const auto places = find_members(object);
  if (!places) {
    return std::nullopt;
  }
  std::vector<std::pair<std::string, std::string_view>> members;
  members.reserve(places->size());
  for (const auto& at : *places) {
    auto name = decode_string(object.substr(at.name, at.value - 1 - at.name));
    if (!name) {
      return std::nullopt;
    }
    members.emplace_back(*std::move(name), object.substr(at.value, at.end - at.value));
  }
  return members;
}

}  // namespace troupe
