#include "runtime/http/http_exchange.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

namespace troupe {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char left, unsigned char right) { return std::tolower(left) == std::tolower(right); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Bytes of the body, by the header fields; nothing where they say what is not understood.
std::optional<std::size_t> length_of_body(std::string_view fields) {
  std::size_t length = 0;
  bool known = false;
  while (!fields.empty()) {
    const auto line = fields.substr(0, fields.find(line_end));
    fields.remove_prefix(std::min(fields.size(), line.size() + line_end.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return std::nullopt;
    }
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (same_name(name, "Transfer-Encoding")) {
      return std::nullopt;
    }
    if (same_name(name, "Content-Length")) {
      const auto read = std::from_chars(value.data(), value.data() + value.size(), length);
      if (known || value.empty() || read.ec != std::errc{} || read.ptr != value.data() + value.size() ||
          length > http_body_max) {
        return std::nullopt;
      }
      known = true;
    }
  }
  return length;
}

}  // namespace

http_progress read_request(std::string_view bytes, http_request& into) {
  const auto end = bytes.find(head_end);
  if (end == std::string_view::npos) {
    return bytes.size() > http_head_max ? http_progress::malformed : http_progress::needs_more;
  }
  const auto head = bytes.substr(0, end);
  const auto first = head.substr(0, head.find(line_end));
  const auto method_end = first.find(' ');
  const auto target_end = first.rfind(' ');
  const bool is_request = end <= http_head_max && method_end != std::string_view::npos && method_end < target_end &&
                          first.substr(target_end + 1).starts_with("HTTP/1.");
  if (!is_request) {
    return http_progress::malformed;
  }
  const auto length =
      length_of_body(head.size() == first.size() ? std::string_view{} : head.substr(first.size() + line_end.size()));
  if (!length) {
    return http_progress::malformed;
  }
  const auto body = bytes.substr(end + head_end.size());
  if (body.size() < *length) {
    return http_progress::needs_more;
  }
  into = {std::string{first.substr(0, method_end)},
          std::string{first.substr(method_end + 1, target_end - method_end - 1)},
          std::string{body.substr(0, *length)}};
  return http_progress::whole;
}

result<http_response> read_response(std::string_view bytes) {
  const auto end = bytes.find(head_end);
  constexpr std::size_t status_at = 9;  // of "HTTP/1.1 200 OK"
  constexpr std::size_t status_digits = 3;
  http_response response;
  if (end != std::string_view::npos && bytes.starts_with("HTTP/1.") && end >= status_at + status_digits) {
    const char* const digits = bytes.data() + status_at;
    if (std::from_chars(digits, digits + status_digits, response.status).ptr == digits + status_digits) {
      response.body = bytes.substr(end + head_end.size());
      return response;
    }
  }
  return error{error_code::internal, "the answer is no HTTP", ""};
}

std::string encode_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string segment;
  for (const unsigned char each : text) {
    if (std::isalnum(each) != 0 || each == '-' || each == '.' || each == '_' || each == '~') {
      segment += static_cast<char>(each);
    } else {
      segment += {'%', digits[each >> 4U], digits[each & 15U]};
    }
  }
  return segment;
}

std::optional<std::string> decode_segment(std::string_view segment) {
  std::string text;
  while (!segment.empty()) {
    if (segment.front() != '%') {
      text += segment.front();
      segment.remove_prefix(1);
      continue;
    }
    constexpr std::size_t escape = 3;
    unsigned int byte = 0;
    const auto digits = segment.substr(1, escape - 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != escape - 1 || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
      return std::nullopt;
    }
    text += static_cast<char>(byte);
    segment.remove_prefix(escape);
  }
  return text;
}

std::string write(const http_request& request) {
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\nHost: troupe\r\nConnection: close\r\n";
  if (!request.body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

std::string write(const http_response& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  text += reason_of(response.status);
  text += "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(response.body.size());
  return text + "\r\nConnection: close\r\n\r\n" + response.body;
}

}  // namespace troupe
