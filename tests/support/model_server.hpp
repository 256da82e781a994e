// A provider of models that misbehaves as it is told: real sockets on this machine, ended by its own object.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace troupe {

struct send_bytes {
  std::string bytes;
};
/// Each piece with a write of its own.
struct send_pieces {
  std::string bytes;
  std::size_t size = 1;
};
struct pause_for {
  std::chrono::milliseconds length;
};
/// Until the client has closed, or the server ends.
struct stall {};
/// The connection ends with a reset in place of an end.
struct reset_connection {};

/// What is done for a request that has come whole; then the connection is closed.
using answer_step = std::variant<send_bytes, send_pieces, pause_for, stall, reset_connection>;
using answer_script = std::vector<answer_step>;

using header_lines = std::vector<std::pair<std::string, std::string>>;

/// The head of an answer; with `length`, that is its Content-Length, true or not.
std::string answer_head(int status, const header_lines& headers, std::ptrdiff_t length = -1);
/// Head and body, with its true length.
std::string whole_answer(int status, const std::string& body, const header_lines& headers = {});
/// `{"error": ...}` as providers write it.
std::string fault_body(std::string_view code, std::string_view message);
/// A chat completion as one document; it used 11 and 7 tokens.
std::string chat_document(std::string_view text, std::string_view finish_reason = "stop");
/// The same as events: a comment, one event for each piece, the reason, the usage, the end mark.
std::string chat_events(const std::vector<std::string>& pieces, std::string_view finish_reason = "stop");
/// An answer of chat_document, and one of chat_events.
answer_script document_answer(std::string_view text);
answer_script stream_answer(const std::vector<std::string>& pieces);

struct received_request {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< Names in small letters.
  std::string body;
  std::chrono::steady_clock::time_point at;
};

/// PEM texts.
struct test_certificate {
  std::string certificate;
  std::string key;
};

/// Signed by itself. `names` as OpenSSL writes alternative names.
test_certificate make_certificate(const std::string& names = "DNS:localhost,IP:127.0.0.1");

/// A thread for each connection, at most 512; above that a connection is closed at once.
class model_server {
 public:
  explicit model_server(answer_script always);
  model_server(answer_script always, const test_certificate& tls);
  model_server(const model_server&) = delete;
  model_server& operator=(const model_server&) = delete;
  ~model_server();  ///< Closes what is open.

  /// For the next request for which nothing else is set; each counts once, in turn.
  void then(answer_script next);

  int port() const noexcept { return port_; }
  std::string address() const;   ///< `127.0.0.1:PORT`
  std::string endpoint() const;  ///< `http://127.0.0.1:PORT/v1`, or https.
  std::string url() const { return endpoint() + "/chat/completions"; }

  std::vector<received_request> requests() const;
  std::size_t connections() const;
  /// False when 30 s are over.
  bool wait_for_requests(std::size_t count) const;
  /// Clients that closed, or were lost, during a stall.
  bool wait_for_closings(std::size_t count) const;
  std::vector<std::chrono::steady_clock::time_point> closings() const;

 private:
  class channel;
  struct tls_context;

  void listen();
  void accept_all();
  void serve(int descriptor);
  void carry_out(channel& with, const answer_script& script);
  bool wait(std::chrono::milliseconds length);
  bool wait_until(const std::function<bool()>& is_so) const;

  std::unique_ptr<tls_context> tls_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex guard_;
  mutable std::condition_variable changed_;
  answer_script always_;
  std::deque<answer_script> next_;
  std::vector<received_request> requests_;
  std::vector<std::chrono::steady_clock::time_point> closings_;
  std::set<int> open_;
  std::size_t accepted_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace troupe
