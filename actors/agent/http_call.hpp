// From an order to a request of an agent over HTTP, and the request on its way.
#pragma once

#include "actors/agent/event_stream.hpp"
#include "actors/agent/http_port.hpp"
#include "messages/attempt.hpp"
#include "messages/base/result.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

struct prepared_call {
  http_post request;
  std::string key;  ///< Which `request.headers` hold; empty if the agent has none.
};

/// What is asked for an attempt. Pure. AUTH_REQUIRED: the variable of the key is not set in `host_environment`, or holds
/// what no header may; INVALID_INPUT: the prompt is not UTF-8; INVALID_CONFIG: the endpoint is no address.
result<prepared_call> prepare_call(const attempt_order& order,
                                   const std::map<std::string, std::string>& host_environment);

/// A key that is shorter is a word that may stand in any answer ("none", "ollama"), and no secret.
inline constexpr std::size_t secret_bytes_min = 16;

/// Writes `*` over each place where `bytes` hold the key: an endpoint that repeats what it was sent must not bring it
/// into rows, logs and events. Keys below secret_bytes_min are left as they are.
void blot_out(std::string& bytes, std::string_view key);
void blot_out(http_end& end, std::string_view key);

/// The newest line of an answer that is still growing.
class answer_preview {
 public:
  /// Of an event stream; of anything else nothing is shown.
  std::string take(std::string_view fresh);

 private:
  event_stream events_;
  std::string tail_;
};

/// One request: stopped when this is destroyed. A request that has ended is ignored by its port.
class http_call {
 public:
  http_call(std::shared_ptr<http_port> port, http_post request, http_listener listener);
  http_call(const http_call&) = delete;
  http_call& operator=(const http_call&) = delete;
  ~http_call() { stop(); }

  void stop() { port_->stop(handle_); }

 private:
  std::shared_ptr<http_port> port_;
  http_handle handle_;
};

}  // namespace troupe
