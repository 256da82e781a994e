#include "runtime/http_client/transfer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds tell_every{50};
constexpr std::size_t header_bytes_max = 64U << 10U;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower(std::string_view text) {
  std::string made{text};
  std::ranges::transform(
      made, made.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

// `HTTP/1.1 200 OK`.
std::optional<int> status_of(std::string_view line) {
  const auto blank = line.find(' ');
  int status = 0;
  if (blank == std::string_view::npos) {
    return std::nullopt;
  }
  const auto rest = line.substr(blank + 1);
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), status);
  return read.ec == std::errc{} ? std::optional{status} : std::nullopt;
}

// What is not listed can only happen once there is a connection.
constexpr std::array<std::pair<CURLcode, http_failure>, 13> failures{{
    {CURLE_URL_MALFORMAT, http_failure::malformed},
    {CURLE_COULDNT_RESOLVE_HOST, http_failure::unresolved},
    {CURLE_COULDNT_RESOLVE_PROXY, http_failure::unresolved},
    {CURLE_PEER_FAILED_VERIFICATION, http_failure::untrusted},
    {CURLE_SSL_CACERT_BADFILE, http_failure::untrusted},
    {CURLE_SSL_ISSUER_ERROR, http_failure::untrusted},
    {CURLE_SSL_INVALIDCERTSTATUS, http_failure::untrusted},
    {CURLE_OPERATION_TIMEDOUT, http_failure::connect_timeout},  // the only time that libcurl looks after
    {CURLE_COULDNT_CONNECT, http_failure::unreachable},
    {CURLE_SSL_CONNECT_ERROR, http_failure::unreachable},
    {CURLE_PROXY, http_failure::unreachable},
    {CURLE_WEIRD_SERVER_REPLY, http_failure::not_http},
    {CURLE_UNSUPPORTED_PROTOCOL, http_failure::not_http},  // text without a head: HTTP/0.9, as libcurl sees it
}};

http_failure failure_of(CURLcode code) {
  const auto* found = std::ranges::find(failures, code, &decltype(failures)::value_type::first);
  return found == failures.end() ? http_failure::cut : found->second;
}

bool is_http(std::string_view url) { return url.starts_with("http://") || url.starts_with("https://"); }

}  // namespace

transfer::transfer(http_post what, http_listener listener, const http_client_options& options, steady_time now)
    : request_(std::move(what)),
      listener_(std::move(listener)),
      options_(options),
      started_(now),
      error_text_(CURL_ERROR_SIZE, '\0') {
  if (!set_up()) {
    ::curl_easy_cleanup(easy_);
    easy_ = nullptr;
    fail(http_failure::malformed, "the request holds what cannot be sent");
  }
}

transfer::~transfer() {
  ::curl_easy_cleanup(easy_);
  ::curl_slist_free_all(static_cast<curl_slist*>(header_list_));
}

bool transfer::set_up() {
  easy_ = ::curl_easy_init();
  if (easy_ == nullptr || !is_http(request_.url) || has_control(request_.url) || !set_headers()) {
    return false;
  }
  bool is_set = true;
  const auto set = [&](CURLoption option, auto value) {
    is_set = ::curl_easy_setopt(easy_, option, value) == CURLE_OK && is_set;
  };
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, request_.body->data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(header_list_));
  set(CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE});  // a proxy that makes a tunnel does not get the key
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // At most one request for each attempt: on a connection that was used before, libcurl would send it once more where
  // the other side closed it meanwhile.
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a stop does not wait for a name that is being looked up
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.limits.connect.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!options_.certificates_file.empty()) {
    set(CURLOPT_CAINFO, options_.certificates_file.c_str());
  }
  if (!options_.certificates_folder.empty()) {
    set(CURLOPT_CAPATH, options_.certificates_folder.c_str());
  }
  if (request_.route == http_route::direct) {
    set(CURLOPT_PROXY, "");
  }
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  return is_set;
}

bool transfer::set_headers() {
  const auto append = [this](const std::string& line) {
    auto* const grown = ::curl_slist_append(static_cast<curl_slist*>(header_list_), line.c_str());
    header_list_ = grown == nullptr ? header_list_ : grown;
    return grown != nullptr;
  };
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || has_control(name) || has_control(value) || name.find_first_of(": \t") != std::string::npos) {
      return false;
    }
    std::string line = name;
    line += value.empty() ? ";" : ": ";  // libcurl's way to say that there is no value
    line += value;
    if (!append(line)) {
      return false;
    }
  }
  return append("Expect:");  // else a large body waits a second for a server that does not know the question
}

std::size_t transfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<transfer*>(self)->take_header({bytes, size * count});
}

std::size_t transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<transfer*>(self)->take_body({bytes, size * count});
}

std::size_t transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > header_bytes_max) {
    fail(http_failure::not_http, "the headers of the answer are longer than 64 KiB");
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // a head like 100 Continue may stand before that of the answer
    end_.status = status_of(trimmed(line));
    end_.headers.clear();
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    end_.headers.push_back({lower(trimmed(line.substr(0, colon))), std::string{trimmed(line.substr(colon + 1))}});
  }
  return line.size();
}

std::size_t transfer::take_body(std::string_view bytes) {
  const auto now = std::chrono::steady_clock::now();
  last_byte_ = now;
  end_.last_output_at = options_.clock->now();
  if (!end_.first_output_at) {
    end_.first_output_at = end_.last_output_at;
  }
  end_.body_bytes += static_cast<std::int64_t>(bytes.size());
  end_.body.append(bytes.substr(0, request_.output_limit - end_.body.size()));
  if (static_cast<std::size_t>(end_.body_bytes) > request_.output_limit) {
    fail(http_failure::too_large, "the answer is longer than the output limit");
    return 0;
  }
  return bytes.size();
}

std::optional<transfer::steady_time> transfer::limit_at() const {
  const auto& limits = request_.limits;
  if (limits.first_output && !last_byte_) {
    return started_ + *limits.first_output;
  }
  return limits.idle ? std::optional{last_byte_.value_or(started_) + *limits.idle} : std::nullopt;
}

std::optional<transfer::steady_time> transfer::next_due() const {
  auto next = limit_at();
  if (told_bytes_ < end_.body.size()) {
    const auto tell_at = told_at_.value_or(steady_time{}) + tell_every;
    next = next ? std::min(*next, tell_at) : tell_at;
  }
  return next;
}

void transfer::tell_received(steady_time now) {
  if (told_bytes_ < end_.body.size() && now >= told_at_.value_or(steady_time{}) + tell_every) {
    told_at_ = now;
    listener_.received(end_.body.substr(told_bytes_), end_.body_bytes);
    told_bytes_ = end_.body.size();
  }
}

bool transfer::due(steady_time now) {
  tell_received(now);
  const auto limit = limit_at();
  if (limit && now >= *limit) {
    const bool is_first = request_.limits.first_output && !last_byte_;
    fail(is_first ? http_failure::first_output_timeout : http_failure::idle_timeout, "");
    return true;
  }
  return false;
}

void transfer::finish(int code) {
  if (code == CURLE_OK || has_failed()) {
    return;
  }
  const auto known = static_cast<CURLcode>(code);
  long system_error = 0;
  ::curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &system_error);
  const bool is_refused =
      known == CURLE_COULDNT_CONNECT && system_error == static_cast<long>(std::errc::connection_refused);
  long tunnel = 0;  // what a proxy said that was asked for one
  ::curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  constexpr long redirection = 300;
  const auto why = tunnel >= redirection ? http_failure::unreachable : failure_of(known);
  const std::string_view detail{error_text_.c_str()};
  fail(is_refused ? http_failure::refused : why, std::string{detail.empty() ? ::curl_easy_strerror(known) : detail});
}

void transfer::fail(http_failure why, std::string text) {
  if (!end_.failure) {
    end_.failure = why;
    end_.failure_text = std::move(text);
  }
}

void transfer::tell_end() {
  end_.ended_at = options_.clock->now();
  listener_.ended(std::move(end_));
}

}  // namespace troupe
