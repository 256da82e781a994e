#include "messages/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace troupe {
namespace {

error refuse(std::string why, std::string hint = "write it as \"https://host/v1\" or \"http://127.0.0.1:8080/v1\"") {
  return {error_code::invalid_config, std::move(why), std::move(hint)};
}

bool is_number_below(std::string_view text, unsigned bound) {
  unsigned number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return !text.empty() && read.ec == std::errc{} && read.ptr == end && number < bound;
}

bool is_loopback_v4(std::string_view host) {
  if (!host.starts_with("127.")) {
    return false;
  }
  int parts = 0;
  while (true) {
    const auto dot = host.find('.');
    if (!is_number_below(host.substr(0, dot), 256)) {
      return false;
    }
    ++parts;
    if (dot == std::string_view::npos) {
      return parts == 4;
    }
    host.remove_prefix(dot + 1);
  }
}

bool is_loopback(std::string host) {
  std::ranges::transform(
      host, host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || is_loopback_v4(host);
}

}  // namespace

result<endpoint_address> parse_endpoint(std::string_view text) {
  endpoint_address found;
  constexpr std::string_view plain = "http://";
  constexpr std::string_view secure = "https://";
  found.secure = text.starts_with(secure);
  if (!found.secure && !text.starts_with(plain)) {
    return refuse("is no address of http:// or https://");
  }
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '"'; })) {
    return refuse("holds a blank or another character that no address has");
  }
  if (text.find_first_of("?#") != std::string_view::npos) {
    return refuse("has a query or a fragment", "end it before the '?' or '#'; keys go through api_key_env");
  }
  text.remove_prefix(found.secure ? secure.size() : plain.size());
  auto authority = text.substr(0, text.find('/'));
  if (authority.find('@') != std::string_view::npos) {
    return refuse("holds a user or a password", "name the variable that holds the key in api_key_env");
  }
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) {
      return refuse("has no ']' behind its IPv6 address");
    }
    found.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
    has_port = !authority.empty();
    if (has_port && authority.front() != ':') {
      return refuse("has something between ']' and its path");
    }
    port = has_port ? authority.substr(1) : port;
  } else {
    const auto colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    found.host = authority.substr(0, colon);
    port = has_port ? authority.substr(colon + 1) : port;
  }
  if (found.host.empty()) {
    return refuse("names no host");
  }
  if (has_port && (!is_number_below(port, 65'536) || port == "0")) {
    return refuse("has a port that is not a number from 1 to 65535");
  }
  found.is_loopback = is_loopback(found.host);
  return found;
}

}  // namespace troupe
