// One thread for all requests over HTTP.
#pragma once

#include "actors/agent/http_port.hpp"

#include <memory>
#include <string>

namespace troupe {

struct http_client_options {
  std::string certificates_file;    ///< Of trusted authorities, PEM (SSL_CERT_FILE); empty: the system's.
  std::string certificates_folder;  ///< The same, hashed (SSL_CERT_DIR); empty: the system's.
  std::shared_ptr<const clock_port> clock;
};

/// Implements http_port with libcurl's multi interface: HTTP/1.1, TLS 1.2 or newer and always verified, a connection for
/// each request. The thread is started by the first request, and sleeps while there is nothing to do; names are looked
/// up on short-lived threads of libcurl.
///
/// Bounded: output_limit bytes are kept of each answer, 64 KiB of its headers; requests at once are the callers' matter.
class http_client final : public http_port {
 public:
  explicit http_client(http_client_options options);

  /// Stops what is left; each has `ended` when it returns.
  ~http_client() override;
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  http_handle start(http_post what, http_listener listener) override;
  void stop(http_handle which) override;

 private:
  class loop;
  std::unique_ptr<loop> loop_;
};

}  // namespace troupe
