// The little of HTTP/1.1 that a local door needs: one request, one response, then the connection ends. RFC 9112.
#pragma once

#include "messages/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

struct http_request {
  std::string method;
  std::string target;  ///< As it came: `/v1/tree`.
  std::string body;
};

struct http_response {
  int status = 200;
  std::string body;  ///< JSON.
};

enum class http_progress {
  whole,
  needs_more,
  malformed,  ///< Or with what is not understood here: chunks, a length that is none or too large.
};

inline constexpr std::size_t http_head_max = 8'192;
inline constexpr std::size_t http_body_max = std::size_t{512} << 10U;

/// `bytes` from the first one of the connection on. `into` is filled where it is whole.
http_progress read_request(std::string_view bytes, http_request& into);

/// INTERNAL where the bytes are none.
result<http_response> read_response(std::string_view bytes);

/// One segment of a target's path, percent-encoded (RFC 3986), and back: none where it is not encoded well.
std::string encode_segment(std::string_view text);
std::optional<std::string> decode_segment(std::string_view segment);

std::string write(const http_request& request);
std::string write(const http_response& response);

}  // namespace troupe
