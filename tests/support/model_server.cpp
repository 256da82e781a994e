#include "tests/support/model_server.hpp"

#include "messages/base/json_text.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace troupe {
namespace {

constexpr std::size_t connections_max = 512;
constexpr std::chrono::seconds patience{30};

std::string small_letters(std::string text) {
  std::ranges::transform(
      text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? std::string{} : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string chunk(const std::string& delta, const std::string& reason) {
  return R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"test-model-0613","choices":[{"index":0,)"
         R"("delta":)" +
         delta + R"(,"finish_reason":)" + reason + "}]}\n\n";
}

constexpr std::string_view usage = R"("usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18})";

}  // namespace

std::string answer_head(int status, const header_lines& headers, std::ptrdiff_t length) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Some Words\r\n";
  for (const auto& [name, value] : headers) {
    head += name + ": " + value + "\r\n";
  }
  if (length >= 0) {
    head += "Content-Length: " + std::to_string(length) + "\r\n";
  }
  return head + "\r\n";
}

std::string whole_answer(int status, const std::string& body, const header_lines& headers) {
  return answer_head(status, headers, static_cast<std::ptrdiff_t>(body.size())) + body;
}

std::string fault_body(std::string_view code, std::string_view message) {
  return R"({"error":{"message":)" + json_string(message) + R"(,"type":"some_type","param":null,"code":)" +
         json_string(code) + "}}";
}

std::string chat_document(std::string_view text, std::string_view finish_reason) {
  return R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"test-model-0613","choices":[{"index":0,)"
         R"("message":{"role":"assistant","content":)" +
         json_string(text) + R"(},"finish_reason":)" + json_string(finish_reason) + "}]," + std::string{usage} + "}";
}

std::string chat_events(const std::vector<std::string>& pieces, std::string_view finish_reason) {
  std::string all = ": one moment\n\n" + chunk(R"({"role":"assistant","content":""})", "null");
  for (const auto& piece : pieces) {
    all += chunk(R"({"content":)" + json_string(piece) + "}", "null");
  }
  return all + chunk("{}", json_string(finish_reason)) +
         R"(data: {"id":"chatcmpl-1","model":"test-model-0613","choices":[],)" + std::string{usage} +
         "}\n\ndata: [DONE]\n\n";
}

answer_script document_answer(std::string_view text) {
  return {send_bytes{whole_answer(200, chat_document(text), {{"Content-Type", "application/json"}})}};
}

answer_script stream_answer(const std::vector<std::string>& pieces) {
  return {send_bytes{answer_head(200, {{"Content-Type", "text/event-stream"}})}, send_bytes{chat_events(pieces)}};
}

// --- TLS -------------------------------------------------------------------------------------------------------------

test_certificate make_certificate(const std::string& names) {
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &::EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&::X509_free)> made{::X509_new(), &::X509_free};
  ::X509_set_version(made.get(), X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), 1);
  ::X509_gmtime_adj(X509_getm_notBefore(made.get()), -3'600);
  ::X509_gmtime_adj(X509_getm_notAfter(made.get()), 24L * 3'600);
  ::X509_set_pubkey(made.get(), key.get());
  auto* const name = ::X509_get_subject_name(made.get());
  const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
  ::X509_set_issuer_name(made.get(), name);
  for (const auto& [what, value] :
       {std::pair{NID_subject_alt_name, names.c_str()}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
    auto* const extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    ::X509_add_ext(made.get(), extension, -1);
    ::X509_EXTENSION_free(extension);
  }
  ::X509_sign(made.get(), key.get(), ::EVP_sha256());
  const auto text_of = [](const auto& write) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> memory{::BIO_new(::BIO_s_mem()), &::BIO_free};
    write(memory.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &bytes);
    return std::string{bytes, static_cast<std::size_t>(size)};
  };
  return {text_of([&](BIO* to) { ::PEM_write_bio_X509(to, made.get()); }),
          text_of([&](BIO* to) { ::PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

struct model_server::tls_context {
  explicit tls_context(const test_certificate& with) : context(::SSL_CTX_new(::TLS_server_method())) {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> certificate{
        ::BIO_new_mem_buf(with.certificate.data(), static_cast<int>(with.certificate.size())), &::BIO_free};
    const std::unique_ptr<BIO, decltype(&::BIO_free)> key{
        ::BIO_new_mem_buf(with.key.data(), static_cast<int>(with.key.size())), &::BIO_free};
    auto* const parsed = ::PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr);
    auto* const private_key = ::PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
    ::SSL_CTX_use_certificate(context, parsed);
    ::SSL_CTX_use_PrivateKey(context, private_key);
    ::X509_free(parsed);
    ::EVP_PKEY_free(private_key);
  }
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  ~tls_context() { ::SSL_CTX_free(context); }

  SSL_CTX* context;
};

// A connection, encrypted or not. Calls block; the server's end shuts the socket down, which ends them.
class model_server::channel {
 public:
  channel(int descriptor, const tls_context* tls) : descriptor_(descriptor) {
    if (tls != nullptr) {
      ssl_ = ::SSL_new(tls->context);
      ::SSL_set_fd(ssl_, descriptor);
    }
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() {
    if (ssl_ != nullptr) {
      ::SSL_shutdown(ssl_);
    }
    ::SSL_free(ssl_);
  }

  bool open() { return ssl_ == nullptr || ::SSL_accept(ssl_) == 1; }

  // Empty at the end.
  std::string receive() {
    std::string bytes(16U << 10U, '\0');
    const auto count = ssl_ == nullptr ? ::recv(descriptor_, bytes.data(), bytes.size(), 0)
                                       : ::SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ssl_ == nullptr ? ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                         : ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void reset() const {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  std::optional<received_request> read_request() {
    std::string bytes;
    std::size_t head_end = std::string::npos;
    while (head_end == std::string::npos) {
      const auto more = receive();
      if (more.empty()) {
        return std::nullopt;
      }
      bytes += more;
      head_end = bytes.find("\r\n\r\n");
    }
    received_request request;
    std::size_t at = bytes.find("\r\n");
    const auto first_line = bytes.substr(0, at);
    request.method = first_line.substr(0, first_line.find(' '));
    request.target = first_line.substr(request.method.size() + 1);
    request.target = request.target.substr(0, request.target.find(' '));
    while (at < head_end) {
      const auto end = bytes.find("\r\n", at + 2);
      const auto line = bytes.substr(at + 2, end - at - 2);
      const auto colon = line.find(':');
      request.headers[small_letters(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
      at = end;
    }
    request.body = bytes.substr(head_end + 4);
    const auto length = request.headers.find("content-length");
    const std::size_t wanted = length == request.headers.end() ? 0 : std::stoul(length->second);
    while (request.body.size() < wanted) {
      const auto more = receive();
      if (more.empty()) {
        return std::nullopt;
      }
      request.body += more;
    }
    request.at = std::chrono::steady_clock::now();
    return request;
  }

 private:
  int descriptor_;
  SSL* ssl_ = nullptr;
};

// --- The server ------------------------------------------------------------------------------------------------------

model_server::model_server(answer_script always) : always_(std::move(always)) { listen(); }

model_server::model_server(answer_script always, const test_certificate& tls)
    : tls_(std::make_unique<tls_context>(tls)), always_(std::move(always)) {
  listen();
}

void model_server::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 1'024) != 0 ||
      ::getsockname(listener_, plain, &size) != 0) {
    throw std::runtime_error{"no port to listen on"};
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

model_server::~model_server() {
  {
    const std::scoped_lock lock{guard_};
    ending_ = true;
    for (const int each : open_) {
      ::shutdown(each, SHUT_RDWR);
    }
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (auto& each : threads_) {
    each.join();
  }
  ::close(listener_);
}

void model_server::then(answer_script next) {
  const std::scoped_lock lock{guard_};
  next_.push_back(std::move(next));
}

std::string model_server::address() const { return "127.0.0.1:" + std::to_string(port_); }

std::string model_server::endpoint() const { return (tls_ ? "https://" : "http://") + address() + "/v1"; }

void model_server::accept_all() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::scoped_lock lock{guard_};
    if (ending_ || descriptor < 0) {
      ::close(descriptor);
      return;
    }
    ++accepted_;
    if (open_.size() >= connections_max) {
      ::close(descriptor);
      continue;
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_.insert(descriptor);
    threads_.emplace_back([this, descriptor] {
      serve(descriptor);
      const std::scoped_lock relock{guard_};
      open_.erase(descriptor);
      ::close(descriptor);
      changed_.notify_all();
    });
  }
}

void model_server::serve(int descriptor) {
  sigset_t pipe;  // OpenSSL writes to clients that have gone
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  channel with{descriptor, tls_.get()};
  auto request = with.open() ? with.read_request() : std::nullopt;
  if (!request) {
    return;
  }
  answer_script script;
  {
    const std::scoped_lock lock{guard_};
    requests_.push_back(*std::move(request));
    script = next_.empty() ? always_ : next_.front();
    if (!next_.empty()) {
      next_.pop_front();
    }
  }
  changed_.notify_all();
  carry_out(with, script);
}

void model_server::carry_out(channel& with, const answer_script& script) {
  for (const auto& step : script) {
    if (const auto* whole = std::get_if<send_bytes>(&step)) {
      if (!with.send(whole->bytes)) {
        return;
      }
    } else if (const auto* pieces = std::get_if<send_pieces>(&step)) {
      for (std::string_view rest = pieces->bytes; !rest.empty();) {
        const auto piece = rest.substr(0, pieces->size);
        if (!with.send(piece)) {
          return;
        }
        rest.remove_prefix(piece.size());
      }
    } else if (const auto* pause = std::get_if<pause_for>(&step)) {
      if (!wait(pause->length)) {
        return;
      }
    } else if (std::holds_alternative<stall>(step)) {
      while (!with.receive().empty()) {
      }
      const std::scoped_lock lock{guard_};
      closings_.push_back(std::chrono::steady_clock::now());
      changed_.notify_all();
    } else {
      with.reset();
    }
  }
}

bool model_server::wait(std::chrono::milliseconds length) {
  std::unique_lock lock{guard_};
  return !changed_.wait_for(lock, length, [&] { return ending_; });
}

bool model_server::wait_until(const std::function<bool()>& is_so) const {
  std::unique_lock lock{guard_};
  return changed_.wait_for(lock, patience, is_so);
}

std::vector<received_request> model_server::requests() const {
  const std::scoped_lock lock{guard_};
  return requests_;
}

std::size_t model_server::connections() const {
  const std::scoped_lock lock{guard_};
  return accepted_;
}

bool model_server::wait_for_requests(std::size_t count) const {
  return wait_until([&] { return requests_.size() >= count; });
}

bool model_server::wait_for_closings(std::size_t count) const {
  return wait_until([&] { return closings_.size() >= count; });
}

std::vector<std::chrono::steady_clock::time_point> model_server::closings() const {
  const std::scoped_lock lock{guard_};
  return closings_;
}

}  // namespace troupe
