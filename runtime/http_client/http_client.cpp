#include "runtime/http_client/http_client.hpp"

#include "runtime/http_client/transfer.hpp"
#include "runtime/os/readiness.hpp"
#include "runtime/os/worker_thread.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds sleep_max{3'600'000};  // a wake-up ends it, or something on a connection

// Once in a process, and never undone: other users of the library may be in it.
bool library_is_ready() {
  static const bool is_ready = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return is_ready;
}

}  // namespace

class http_client::loop {
 public:
  explicit loop(http_client_options options)
      : options_(std::move(options)), multi_(library_is_ready() ? ::curl_multi_init() : nullptr) {
    if (multi_ == nullptr) {
      throw std::bad_alloc{};  // no other reason is known
    }
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &loop::on_socket);
    ::curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &loop::on_timer);
    ::curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, static_cast<void*>(this));
  }

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  ~loop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      sockets_.wake_up();
      thread_.join();
    }
    ::curl_multi_cleanup(multi_);
  }

  http_handle start(http_post what, http_listener listener) {
    const http_handle handle = next_.fetch_add(1);
    post([this, handle, what = std::move(what), listener = std::move(listener)]() mutable {
      begin(handle, std::move(what), std::move(listener));
    });
    return handle;
  }

  void stop(http_handle which) {
    post([this, which] {
      if (const auto found = transfers_.find(which); found != transfers_.end()) {
        found->second->fail(http_failure::stopped, "");
        end(found);
      }
    });
  }

 private:
  using transfer_map = std::map<http_handle, std::unique_ptr<transfer>>;

  template <class Act>
  void post(Act act) {
    {
      const std::scoped_lock lock{guard_};
      // std::function wants copies, which no act needs.
      posted_.emplace_back([shared = std::make_shared<Act>(std::move(act))] { (*shared)(); });
      if (!thread_.joinable()) {
        thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
      }
    }
    sockets_.wake_up();
  }

  void run(const std::stop_token& stop) {
    become_worker_thread("troupe-http");
    while (!stop.stop_requested()) {
      carry_out_posted();
      look_at_times();
      for (const auto& each : sockets_.wait(sleep_length())) {
        const int bits = (each.readable ? CURL_CSELECT_IN : 0) | (each.writable ? CURL_CSELECT_OUT : 0) |
                         (each.failed ? CURL_CSELECT_ERR : 0);
        go_on(each.descriptor, bits);
      }
      if (curl_due_ && steady_clock::now() >= *curl_due_) {
        curl_due_.reset();
        go_on(CURL_SOCKET_TIMEOUT, 0);
      }
      settle();
    }
    while (carry_out_posted() || !transfers_.empty()) {  // starts that came with the stop, or from a callback, end too
      while (!transfers_.empty()) {
        transfers_.begin()->second->fail(http_failure::stopped, "");
        end(transfers_.begin());
      }
    }
  }

  void go_on(curl_socket_t socket, int bits) {
    int running = 0;
    ::curl_multi_socket_action(multi_, socket, bits, &running);
  }

  // What libcurl waits for.
  static int on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* /*of_socket*/) {
    auto& sockets = static_cast<loop*>(self)->sockets_;
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
      sockets.forget(socket);
    } else {
      using interest = readiness::interest;
      sockets.watch(socket,
                    what == CURL_POLL_IN    ? interest::read
                    : what == CURL_POLL_OUT ? interest::write
                                            : interest::both);
    }
    return 0;
  }

  static int on_timer(CURLM* /*multi*/, long after_ms, void* self) {
    auto& due = static_cast<loop*>(self)->curl_due_;
    due = after_ms < 0 ? std::nullopt : std::optional{steady_clock::now() + milliseconds{after_ms}};
    return 0;
  }

  bool carry_out_posted() {
    std::vector<std::function<void()>> acts;
    {
      const std::scoped_lock lock{guard_};
      acts.swap(posted_);
    }
    for (const auto& act : acts) {
      act();
    }
    return !acts.empty();
  }

  void begin(http_handle handle, http_post what, http_listener listener) {
    auto made = std::make_unique<transfer>(std::move(what), std::move(listener), options_, steady_clock::now());
    if (!made->has_failed() && ::curl_multi_add_handle(multi_, made->easy()) != CURLM_OK) {
      made->fail(http_failure::unreachable, "libcurl did not take the request");
    }
    const auto at = transfers_.emplace(handle, std::move(made)).first;
    if (at->second->has_failed()) {
      end(at);
    } else {
      by_easy_[at->second->easy()] = handle;
    }
  }

  // Of those that libcurl is done with.
  void settle() {
    int left = 0;
    while (const CURLMsg* const message = ::curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) {
        const auto at = transfers_.find(by_easy_.at(message->easy_handle));
        at->second->finish(message->data.result);
        end(at);
      }
    }
  }

  void look_at_times() {
    const auto now = steady_clock::now();
    for (auto at = transfers_.begin(); at != transfers_.end();) {
      const auto next = std::next(at);
      if (at->second->due(now)) {
        end(at);
      }
      at = next;
    }
  }

  milliseconds sleep_length() const {
    const auto now = steady_clock::now();
    auto next = now + sleep_max;
    for (const auto& [handle, each] : transfers_) {
      next = std::min(next, each->next_due().value_or(next));
    }
    next = std::min(next, curl_due_.value_or(next));
    return std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds{0});
  }

  // Closes the connection, then tells.
  void end(transfer_map::iterator at) {
    const auto over = std::move(at->second);
    transfers_.erase(at);
    if (over->easy() != nullptr) {
      by_easy_.erase(over->easy());
      ::curl_multi_remove_handle(multi_, over->easy());
    }
    over->tell_end();
  }

  const http_client_options options_;
  CURLM* const multi_;
  std::atomic<http_handle> next_{1};
  std::mutex guard_;
  std::vector<std::function<void()>> posted_;

  // Of the thread alone:
  readiness sockets_;
  std::optional<steady_clock::time_point> curl_due_;  // libcurl's own next time
  transfer_map transfers_;
  std::map<void*, http_handle> by_easy_;

  std::jthread thread_;
};

http_client::http_client(http_client_options options) : loop_(std::make_unique<loop>(std::move(options))) {}

http_client::~http_client() = default;

http_handle http_client::start(http_post what, http_listener listener) {
  return loop_->start(std::move(what), std::move(listener));
}

void http_client::stop(http_handle which) { loop_->stop(which); }

}  // namespace troupe
