// One request on its way: libcurl's handle, what has come, and the times that it may take. Used by http_client only, on
// its thread.
#pragma once

#include "actors/agent/http_port.hpp"
#include "runtime/http_client/http_client.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

class transfer {
 public:
  using steady_time = std::chrono::steady_clock::time_point;

  transfer(http_post what, http_listener listener, const http_client_options& options, steady_time now);
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;
  ~transfer();

  /// libcurl's CURL*; null where the request cannot be sent (then `fail` has been called).
  void* easy() const noexcept { return easy_; }

  /// The time at which due() has something to do, if nothing comes meanwhile.
  std::optional<steady_time> next_due() const;
  /// Tells what came to the listener, at most every 50 ms. True when a limit is over: the transfer has failed.
  bool due(steady_time now);

  /// libcurl's CURLcode.
  void finish(int code);
  void fail(http_failure why, std::string text);
  bool has_failed() const noexcept { return end_.failure.has_value(); }

  /// Last: tells the listener.
  void tell_end();

 private:
  bool set_up();
  bool set_headers();
  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view bytes);
  std::optional<steady_time> limit_at() const;
  void tell_received(steady_time now);

  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);

  const http_post request_;
  const http_listener listener_;
  const http_client_options& options_;
  const steady_time started_;
  void* easy_ = nullptr;
  void* header_list_ = nullptr;
  std::string error_text_;
  http_end end_;
  std::size_t header_bytes_ = 0;
  std::optional<steady_time> last_byte_;
  std::size_t told_bytes_ = 0;
  std::optional<steady_time> told_at_;
};

}  // namespace troupe
