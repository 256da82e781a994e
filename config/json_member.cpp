#include "config/json_member.hpp"

#include <cstddef>
#include <string>

namespace troupe {
namespace {

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1U : 0U;
  }
  return at + 1;
}

// Behind the value that begins at `at`: where, at its own depth, a comma or a closing bracket is.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char letter = text[at];
    if (letter == '"') {
      at = end_of_string(text, at);
      continue;
    }
    const bool closes = letter == '}' || letter == ']';
    if (depth == 0 && (closes || letter == ',')) {
      break;
    }
    depth += letter == '{' || letter == '[' ? 1 : closes ? -1 : 0;
    ++at;
  }
  return at;
}

}  // namespace

std::optional<json_text> member_of(const json_text& object, std::string_view name) {
  const std::string_view text = object.str();
  const std::string wanted = '"' + std::string{name} + '"';
  std::size_t at = 1;
  while (text.starts_with('{') && at < text.size() && text[at] == '"') {
    const std::size_t colon = end_of_string(text, at);
    if (colon >= text.size()) {
      break;
    }
    const std::size_t end = end_of_value(text, colon + 1);
    if (text.substr(at, colon - at) == wanted) {
      return json_text{std::string{text.substr(colon + 1, end - colon - 1)}};
    }
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace troupe
