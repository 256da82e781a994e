// What an agent actor needs of the network: one request over HTTP, and all that came back.
// Implemented by runtime/http_client with libcurl and, in tests of the actor, by whoever wants to.
#pragma once

#include "messages/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

using http_handle = std::uint64_t;  ///< Of one port, never reused; 0 is none.

struct http_header {
  std::string name;
  std::string value;

  friend bool operator==(const http_header&, const http_header&) = default;
};

/// The whole request's time is the caller's matter: it stops it.
struct http_limits {
  milliseconds connect{10'000};              ///< Name look-up, connection and TLS together.
  std::optional<milliseconds> first_output;  ///< From the start to the first byte of the answer's body.
  std::optional<milliseconds> idle;  ///< Without a byte, once the first has come; without first_output from the start.
};

/// Which way the request may take.
enum class http_route {
  as_environment_says,  ///< http_proxy, https_proxy, all_proxy, no_proxy.
  direct,
};

/// A POST.
struct http_post {
  std::string url;                   ///< http or https.
  std::vector<http_header> headers;  ///< May hold secrets: no implementation logs them. None with a line break is sent.
  std::shared_ptr<const std::string> body;
  http_limits limits;
  http_route route = http_route::as_environment_says;
  std::size_t output_limit = 16U << 20U;  ///< Bytes kept of the answer's body. One that is longer is not awaited.
};

/// Why there is no whole answer.
enum class http_failure {
  malformed,             ///< The request cannot be sent as it is: its address, or a line break in a header.
  unresolved,            ///< The host's name, or the proxy's, has no address now.
  refused,               ///< Nobody listens there.
  unreachable,           ///< No way there; or the connection failed, with or without TLS, before anything was asked.
  untrusted,             ///< TLS: the certificate is not one for this host that we trust. Nothing was sent.
  connect_timeout,       ///< The limits, each.
  first_output_timeout,  //
  idle_timeout,          //
  cut,                   ///< The connection ended before the answer did, or before it began.
  not_http,              ///< What came is no answer of HTTP.
  too_large,             ///< More than output_limit.
  stopped,               ///< By stop(), or since the port ended.
};

/// All that is known when the connection is closed.
struct http_end {
  std::optional<int> status;                 ///< Of the answer, if its head came.
  std::optional<http_failure> failure;       ///< None: the answer is whole.
  std::string failure_text;                  ///< What the library says of it; nothing of the request's headers or body.
  std::vector<http_header> headers;          ///< Of the answer; names in small letters, in order.
  std::string body;                          ///< As it came; the first output_limit bytes.
  std::int64_t body_bytes = 0;               ///< How many came in all, until we stopped.
  std::optional<timestamp> first_output_at;  ///< Of the body.
  std::optional<timestamp> last_output_at;
  timestamp ended_at;
};

/// Called on the port's thread; `ended` exactly once, and nothing after it. A callback must not block and must not call
/// back into the port's destructor.
struct http_listener {
  /// What came since the last call, and the bytes so far; at most one per 50 ms and request.
  std::function<void(std::string fresh, std::int64_t bytes)> received;
  std::function<void(http_end)> ended;
};

class http_port {
 public:
  virtual ~http_port() = default;

  /// Any thread; does not block. At most one request goes out: nothing is repeated, no redirection followed. What goes
  /// wrong comes through `ended`.
  virtual http_handle start(http_post what, http_listener listener) = 0;

  /// Closes the connection at once; `ended` follows, with what came until now. Any thread; does not block; an unknown or
  /// ended handle is ignored.
  virtual void stop(http_handle which) = 0;
};

}  // namespace troupe
