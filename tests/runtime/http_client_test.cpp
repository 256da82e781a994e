// Real sockets, one fault each.
#include "runtime/http_client/http_client.hpp"

#include "runtime/os/system_clock.hpp"
#include "tests/support/model_server.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

http_client_options options() {
  http_client_options made;
  made.clock = std::make_shared<system_clock>();
  return made;
}

http_post request_to(const std::string& url) {
  http_post made;
  made.url = url;
  made.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer secret-of-this-test"}};
  made.body = std::make_shared<const std::string>("{}");
  return made;
}

// One request and what became of it.
class sent {
 public:
  sent(http_client& by, http_post what) : client_(by), began_(steady_clock::now()) {
    http_listener listener;
    listener.received = [shared = shared_](const std::string& fresh, std::int64_t bytes) {
      const std::scoped_lock lock{shared->guard};
      shared->received.push_back(fresh);
      shared->bytes = bytes;
    };
    listener.ended = [shared = shared_](http_end end) { shared->end.set_value(std::move(end)); };
    handle_ = client_.start(std::move(what), std::move(listener));
  }

  void stop() { client_.stop(handle_); }

  http_end end() {
    auto future = shared_->end.get_future();
    if (future.wait_for(test_patience) != std::future_status::ready) {
      ADD_FAILURE() << "the request did not end";
      return {};
    }
    return future.get();
  }

  std::vector<std::string> received() const {
    const std::scoped_lock lock{shared_->guard};
    return shared_->received;
  }

  std::int64_t bytes() const {
    const std::scoped_lock lock{shared_->guard};
    return shared_->bytes;
  }

  milliseconds age() const { return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_); }

 private:
  struct shared {
    std::mutex guard;
    std::vector<std::string> received;
    std::int64_t bytes = 0;
    std::promise<http_end> end;
  };
  http_client& client_;
  steady_clock::time_point began_;
  std::shared_ptr<shared> shared_ = std::make_shared<shared>();
  http_handle handle_ = 0;
};

// Of the one request to a server that always does this.
http_end end_of_request(const answer_script& script, const std::function<void(http_post&)>& change = {}) {
  const model_server server{script};
  http_client client{options()};
  auto what = request_to(server.url());
  if (change) {
    change(what);
  }
  return sent{client, std::move(what)}.end();
}

TEST(http_client, sends_what_it_is_given_and_brings_back_what_came) {
  const std::string body = std::string{"{\"a\":\"\0\xFF\"}", 10};
  const model_server server{{send_bytes{whole_answer(200, body, {{"X-Request-ID", "r 1"}, {"Empty", ""}})}}};
  http_client client{options()};
  auto what = request_to(server.url());
  what.body = std::make_shared<const std::string>(body);
  const auto end = sent{client, what}.end();
  EXPECT_EQ(end.failure, std::nullopt) << end.failure_text;
  EXPECT_EQ(end.status, 200);
  EXPECT_EQ(end.body, body);
  EXPECT_EQ(end.body_bytes, 10);
  EXPECT_THAT(end.headers, ::testing::Contains(http_header{"x-request-id", "r 1"}));
  EXPECT_THAT(end.headers, ::testing::Contains(http_header{"empty", ""}));
  EXPECT_LE(end.first_output_at, end.last_output_at);
  EXPECT_LE(*end.last_output_at, end.ended_at);
  ASSERT_EQ(server.requests().size(), 1U);
  const auto request = server.requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(request.body, body);
  EXPECT_EQ(request.headers.at("authorization"), "Bearer secret-of-this-test");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.count("expect"), 0U);
  EXPECT_EQ(request.headers.count("accept-encoding"), 0U);
}

TEST(http_client, sends_megabytes_without_waiting_for_a_question_to_be_answered) {
  const model_server server{document_answer("x")};
  http_client client{options()};
  auto what = request_to(server.url());
  what.body = std::make_shared<const std::string>(8U << 20U, 'x');
  sent one{client, what};
  EXPECT_EQ(one.end().status, 200);
  EXPECT_LT(one.age(), 900ms);
  EXPECT_EQ(server.requests().front().body.size(), 8U << 20U);
}

TEST(http_client, tells_what_comes_while_it_comes) {
  const model_server server{{send_bytes{answer_head(200, {})},
                             send_bytes{"one "},
                             pause_for{80ms},
                             send_bytes{"two "},
                             pause_for{80ms},
                             send_bytes{"three"}}};
  http_client client{options()};
  sent one{client, request_to(server.url())};
  EXPECT_EQ(one.end().body, "one two three");
  std::string told;
  for (const auto& each : one.received()) {
    told += each;
  }
  EXPECT_GE(one.received().size(), 2U);
  EXPECT_TRUE(std::string_view{"one two three"}.starts_with(told)) << told;
  EXPECT_TRUE(told.starts_with("one two ")) << told;
}

TEST(http_client, keeps_answers_apart_that_come_byte_by_byte) {
  const auto answer = answer_head(200, {{"Transfer-Encoding", "chunked"}}) + "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
  EXPECT_EQ(end_of_request({send_pieces{answer, 1}}).body, "hello!");
  EXPECT_EQ(end_of_request({send_bytes{"HTTP/1.1 100 Continue\r\n\r\n" + whole_answer(503, "no")}}).status, 503);
}

// --- Each fault ------------------------------------------------------------------------------------------------------

TEST(http_client, nobody_listens) {
  int port = 0;
  {
    const model_server gone{{}};
    port = gone.port();
  }
  http_client client{options()};
  const auto end = sent{client, request_to("http://127.0.0.1:" + std::to_string(port) + "/v1")}.end();
  EXPECT_EQ(end.failure, http_failure::refused) << end.failure_text;
  EXPECT_EQ(end.status, std::nullopt);
}

TEST(http_client, a_name_without_an_address) {
  http_client client{options()};
  auto what = request_to("http://" + std::string(70, 'a') + ".invalid/v1");  // no name server needs to be asked
  what.route = http_route::direct;
  const auto end = sent{client, what}.end();
  EXPECT_EQ(end.failure, http_failure::unresolved) << end.failure_text;
  EXPECT_THAT(end.failure_text, ::testing::Not(HasSubstr("secret")));
}

TEST(http_client, closes_without_an_answer) {
  EXPECT_EQ(end_of_request({}).failure, http_failure::cut);
  EXPECT_EQ(end_of_request({reset_connection{}}).failure, http_failure::cut);
}

TEST(http_client, cut_in_the_middle_keeps_what_came) {
  const auto end = end_of_request({send_bytes{answer_head(200, {}, 100) + "half"}});
  EXPECT_EQ(end.failure, http_failure::cut);
  EXPECT_EQ(end.status, 200);
  EXPECT_EQ(end.body, "half");
  const auto chunked = end_of_request({send_bytes{answer_head(200, {{"Transfer-Encoding", "chunked"}}) + "5\r\nhel"}});
  EXPECT_EQ(chunked.failure, http_failure::cut);
  EXPECT_EQ(chunked.body, "hel");
}

TEST(http_client, a_length_that_is_too_small_ends_the_answer_there) {
  const auto end = end_of_request({send_bytes{answer_head(200, {}, 2) + "half"}});
  EXPECT_EQ(end.failure, std::nullopt);
  EXPECT_EQ(end.body, "ha");
}

TEST(http_client, something_that_is_not_http) {
  EXPECT_EQ(end_of_request({send_bytes{"SSH-2.0-OpenSSH_9.2\r\n"}}).failure, http_failure::not_http);
  EXPECT_EQ(end_of_request({send_bytes{"HTTP/1.1 200 OK\r\nX: " + std::string(80'000, 'x') + "\r\n\r\n"}}).failure,
            http_failure::not_http);
}

TEST(http_client, the_first_byte_is_late) {
  const auto asked = steady_clock::now();
  const auto end = end_of_request({send_bytes{answer_head(200, {})}, stall{}}, [](http_post& what) {
    what.limits.first_output = 60ms;
    what.limits.idle = 1ms;  // does not count before there is a byte
  });
  EXPECT_GE(steady_clock::now() - asked, 60ms);
  EXPECT_EQ(end.failure, http_failure::first_output_timeout);
  EXPECT_EQ(end.status, 200);
}

TEST(http_client, stalls_in_the_middle) {
  const auto end = end_of_request({send_bytes{answer_head(200, {}) + "half"}, stall{}}, [](http_post& what) {
    what.limits.first_output = 30'000ms;
    what.limits.idle = 60ms;
  });
  EXPECT_EQ(end.failure, http_failure::idle_timeout);
  EXPECT_EQ(end.body, "half");
}

TEST(http_client, idle_counts_from_the_start_where_nothing_else_does) {
  const auto end = end_of_request({stall{}}, [](http_post& what) { what.limits.idle = 60ms; });
  EXPECT_EQ(end.failure, http_failure::idle_timeout);
  EXPECT_EQ(end.status, std::nullopt);
}

// The pauses are shorter than the limit, all of them together are longer.
TEST(http_client, a_slow_answer_is_not_a_silent_one) {
  answer_script slowly{send_bytes{answer_head(200, {})}};
  for (int i = 0; i < 8; ++i) {
    slowly.emplace_back(pause_for{40ms});
    slowly.emplace_back(send_bytes{"x"});
  }
  const auto end = end_of_request(slowly, [](http_post& what) { what.limits.idle = 250ms; });
  EXPECT_EQ(end.failure, std::nullopt) << end.failure_text;
  EXPECT_EQ(end.body, "xxxxxxxx");
  ASSERT_TRUE(end.first_output_at && end.last_output_at);
  EXPECT_GE(*end.last_output_at - *end.first_output_at, 250ms) << "seven pauses";
}

TEST(http_client, a_head_before_that_of_the_answer_is_none_of_it) {
  const auto end = end_of_request({send_bytes{"HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\n"},
                                   send_bytes{whole_answer(200, "{}", {{"X-Own", "1"}})}});
  EXPECT_EQ(end.status, 200);
  for (const auto& [name, value] : end.headers) {
    EXPECT_NE(name, "retry-after");
  }
  EXPECT_EQ(end.headers.front().name, "x-own");
}

TEST(http_client, a_header_without_a_value_is_sent_as_it_is) {
  const model_server server{document_answer("well")};
  http_client client{options()};
  auto what = request_to(server.url());
  what.headers.push_back({"X-Empty", ""});
  EXPECT_EQ(sent(client, std::move(what)).end().status, 200);
  ASSERT_EQ(server.requests().size(), 1U);
  const auto headers = server.requests().front().headers;
  ASSERT_TRUE(headers.contains("x-empty"));
  EXPECT_EQ(headers.at("x-empty"), "");
}

TEST(http_client, a_huge_answer_is_not_awaited) {
  const model_server server{{send_bytes{answer_head(200, {})}, send_bytes{std::string(64U << 20U, 'x')}, stall{}}};
  http_client client{options()};
  auto what = request_to(server.url());
  what.output_limit = 100'000;
  const auto end = sent{client, what}.end();
  EXPECT_EQ(end.failure, http_failure::too_large);
  EXPECT_EQ(end.body, std::string(100'000, 'x'));
  EXPECT_GT(end.body_bytes, 100'000);
}

TEST(http_client, exactly_the_limit_is_not_too_much) {
  const auto end =
      end_of_request({send_bytes{whole_answer(200, "12345")}}, [](http_post& what) { what.output_limit = 5; });
  EXPECT_EQ(end.failure, std::nullopt);
  EXPECT_EQ(end.body, "12345");
}

TEST(http_client, does_not_go_elsewhere_with_a_key) {
  const model_server other{document_answer("stolen")};
  const auto end = end_of_request({send_bytes{whole_answer(307, "", {{"Location", other.url()}})}});
  EXPECT_EQ(end.status, 307);
  EXPECT_EQ(end.failure, std::nullopt);
  EXPECT_EQ(other.connections(), 0U);
}

TEST(http_client, a_line_break_in_a_header_is_sent_nowhere) {
  for (const auto& header : {http_header{"X-A", "b\r\nX-Injected: c"},
                             http_header{"X-A", "b\nc"},
                             http_header{"X-A\r\nX-B", "c"},
                             http_header{"X-A: b", "c"},
                             http_header{"", "c"}}) {
    const model_server server{document_answer("x")};
    http_client client{options()};
    auto what = request_to(server.url());
    what.headers.push_back(header);
    EXPECT_EQ(sent(client, what).end().failure, http_failure::malformed) << header.name << ": " << header.value;
    EXPECT_EQ(server.connections(), 0U);
  }
  http_client client{options()};
  for (const char* url :
       {"", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "http://h h/", "http://h\r\nX: y/"}) {
    EXPECT_EQ(sent(client, request_to(url)).end().failure, http_failure::malformed) << url;
  }
}

// --- TLS and proxies -------------------------------------------------------------------------------------------------

TEST(http_client, an_untrusted_certificate_gets_nothing) {
  const model_server server{document_answer("x"), make_certificate()};
  http_client client{options()};
  const auto end = sent{client, request_to(server.url())}.end();
  EXPECT_EQ(end.failure, http_failure::untrusted) << end.failure_text;
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST(http_client, trusts_the_authority_that_it_is_told_and_for_its_host_alone) {
  const temporary_folder folder;
  const auto here = make_certificate();
  const auto elsewhere = make_certificate("DNS:elsewhere.test");
  std::ofstream{folder / "authorities.pem"} << here.certificate << elsewhere.certificate;
  const model_server server{document_answer("x"), here};
  const model_server impostor{document_answer("x"), elsewhere};
  auto with = options();
  with.certificates_file = folder / "authorities.pem";
  http_client client{with};
  const auto end = sent{client, request_to(server.url())}.end();
  EXPECT_EQ(end.failure, std::nullopt) << end.failure_text;
  EXPECT_EQ(end.body, chat_document("x"));
  EXPECT_EQ(sent(client, request_to(impostor.url())).end().failure, http_failure::untrusted);
  EXPECT_THAT(impostor.requests(), IsEmpty());
}

TEST(http_client, who_does_not_answer_a_handshake_is_not_reached) {
  const model_server plain{document_answer("x")};
  http_client client{options()};
  auto what = request_to("https://" + plain.address() + "/v1");
  what.limits.connect = 100ms;
  EXPECT_EQ(sent(client, what).end().failure, http_failure::connect_timeout);
  EXPECT_THAT(plain.requests(), IsEmpty());
}

TEST(http_client, goes_through_the_proxy_of_the_environment_or_not) {
  const model_server proxy{document_answer("by proxy")};
  const model_server server{document_answer("direct")};
  ASSERT_EQ(::setenv("http_proxy", ("http://" + proxy.address()).c_str(), 1), 0);
  http_client client{options()};
  auto what = request_to(server.url());
  EXPECT_EQ(sent(client, what).end().body, chat_document("by proxy"));
  EXPECT_EQ(proxy.requests().front().target, server.url());
  what.route = http_route::direct;
  EXPECT_EQ(sent(client, what).end().body, chat_document("direct"));
  what.route = http_route::as_environment_says;
  ASSERT_EQ(::setenv("no_proxy", "127.0.0.1", 1), 0);
  EXPECT_EQ(sent(client, what).end().body, chat_document("direct"));
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
}

// It is asked for a way to somebody else: our words to him, the key among them, are none of its business, and its answer
// is not his.
TEST(http_client, a_proxy_that_refuses_a_tunnel_neither_gets_the_key_nor_answers_for_the_provider) {
  const model_server proxy{{send_bytes{whole_answer(403, "not through me", {{"X-Of-The-Proxy", "1"}})}}};
  ASSERT_EQ(::setenv("https_proxy", ("http://" + proxy.address()).c_str(), 1), 0);
  http_client client{options()};
  const auto end = sent{client, request_to("https://models.invalid/v1/chat/completions")}.end();
  ::unsetenv("https_proxy");
  ASSERT_EQ(proxy.requests().size(), 1U);
  const auto asked = proxy.requests().front();
  EXPECT_EQ(asked.method, "CONNECT");
  EXPECT_EQ(asked.target, "models.invalid:443");
  EXPECT_EQ(asked.headers.count("authorization"), 0U);
  EXPECT_EQ(asked.body, "");
  EXPECT_EQ(end.status, std::nullopt);
  EXPECT_THAT(end.headers, IsEmpty());
  EXPECT_EQ(end.body, "");
  EXPECT_EQ(end.failure, http_failure::unreachable);
  EXPECT_THAT(end.failure_text, HasSubstr("403"));
}

TEST(http_client, each_request_has_a_connection_of_its_own) {
  const model_server server{{send_bytes{whole_answer(200, "{}")}, stall{}}};
  http_client client{options()};
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(sent(client, request_to(server.url())).end().failure, std::nullopt);
    ASSERT_TRUE(server.wait_for_closings(i)) << "an answer that is whole is the end, whoever would keep it open";
    EXPECT_EQ(server.connections(), i);
  }
}

// --- Stop, and what it costs -----------------------------------------------------------------------------------------

// The best of several: what else the machine does is not ours.
TEST(http_client, stop_closes_the_connection_within_milliseconds) {
  const model_server server{{send_bytes{answer_head(200, {}) + "half"}, stall{}}};
  http_client client{options()};
  auto to_end = steady_clock::duration::max();
  auto to_closing = steady_clock::duration::max();
  for (std::size_t i = 1; i <= 5; ++i) {
    sent one{client, request_to(server.url())};
    ASSERT_TRUE(becomes_true([&] { return !one.received().empty(); }));
    const auto asked = steady_clock::now();
    one.stop();
    const auto end = one.end();
    to_end = std::min(to_end, steady_clock::now() - asked);
    EXPECT_EQ(end.failure, http_failure::stopped);
    EXPECT_EQ(end.body, "half");
    ASSERT_TRUE(server.wait_for_closings(i));
    to_closing = std::min(to_closing, server.closings().back() - asked);
    one.stop();  // of one that has ended, and of one that never was
    client.stop(4'711);
  }
  EXPECT_LT(to_end, 20ms);
  EXPECT_LT(to_closing, 20ms);
}

TEST(http_client, ends_all_that_is_left_when_it_ends) {
  const model_server server{{stall{}}};
  std::vector<std::unique_ptr<sent>> all;
  {
    http_client client{options()};
    for (int i = 0; i < 20; ++i) {
      all.push_back(std::make_unique<sent>(client, request_to(server.url())));
    }
    ASSERT_TRUE(server.wait_for_requests(10));
  }
  for (const auto& each : all) {
    EXPECT_EQ(each->end().failure, http_failure::stopped);
  }
}

int threads_named(const std::string& name) {
  const auto threads = numbers_in("/proc/self/task");
  return static_cast<int>(std::ranges::count_if(threads, [&](int each) {
    return file_text("/proc/self/task/" + std::to_string(each) + "/comm") == name + "\n";
  }));
}

std::chrono::microseconds own_cpu_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

TEST(http_client, a_hundred_requests_at_once_are_one_thread) {
  const model_server server{{send_bytes{answer_head(200, {}) + "x"}, stall{}}};
  EXPECT_EQ(threads_named("troupe-http"), 0);
  http_client client{options()};
  EXPECT_EQ(threads_named("troupe-http"), 0);
  std::vector<std::unique_ptr<sent>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::make_unique<sent>(client, request_to(server.url())));
  }
  ASSERT_TRUE(server.wait_for_requests(100));
  EXPECT_EQ(threads_named("troupe-http"), 1);
  ASSERT_TRUE(becomes_true(
      [&] { return std::ranges::none_of(all, [](const auto& each) { return each->received().empty(); }); }));
  const auto before = own_cpu_time();
  std::promise<void>{}.get_future().wait_for(300ms);  // while nothing comes, nothing is done
  EXPECT_LT(own_cpu_time() - before, 15ms);
  for (const auto& each : all) {
    each->stop();
  }
  for (const auto& each : all) {
    EXPECT_EQ(each->end().failure, http_failure::stopped);
  }
}

// Time that the client's thread has been on a processor.
std::chrono::microseconds client_cpu_time() {
  for (const int each : numbers_in("/proc/self/task")) {
    const auto folder = "/proc/self/task/" + std::to_string(each);
    if (file_text(folder + "/comm") == "troupe-http\n") {
      return std::chrono::microseconds{std::stoll(file_text(folder + "/schedstat")) / 1'000};
    }
  }
  return {};
}

TEST(http_client, a_hundred_streams_cost_a_part_of_one_processor) {
  constexpr std::int64_t streams = 100;
  constexpr std::int64_t pieces = 20;
  const std::string piece = "data: {\"token\":1}\n\n";
  answer_script tokens{send_bytes{answer_head(200, {})}};
  for (int i = 0; i < pieces; ++i) {
    tokens.emplace_back(pause_for{25ms});
    tokens.emplace_back(send_bytes{piece});
  }
  tokens.emplace_back(stall{});
  const model_server server{tokens};
  http_client client{options()};
  std::vector<std::unique_ptr<sent>> all;
  for (int i = 0; i < streams; ++i) {
    all.push_back(std::make_unique<sent>(client, request_to(server.url())));
  }
  ASSERT_TRUE(server.wait_for_requests(std::size_t{streams}));
  const auto began = steady_clock::now();
  const auto before = client_cpu_time();
  const auto whole = pieces * static_cast<std::int64_t>(piece.size());
  ASSERT_TRUE(
      becomes_true([&] { return std::ranges::all_of(all, [&](const auto& each) { return each->bytes() == whole; }); }));
  const auto used = client_cpu_time() - before;
  RecordProperty("us_per_piece", std::to_string(used.count() / (streams * pieces)));
  EXPECT_LT(used, (steady_clock::now() - began) / 2);
  for (const auto& each : all) {
    each->stop();
  }
}

TEST(http_client, starts_and_stops_of_many_threads_each_end_once) {
  const model_server server{stream_answer({"a", "b"})};
  http_client client{options()};
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  constexpr int each_starts = 50;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < each_starts; ++i) {
        http_listener listener;
        listener.received = [](const std::string&, std::int64_t) {};
        listener.ended = [&](const http_end&) { ++ended; };
        const auto handle = client.start(request_to(server.url()), std::move(listener));
        if ((i + thread) % 2 == 0) {
          client.stop(handle);
        }
      }
    });
  }
  for (auto& each : threads) {
    each.join();
  }
  EXPECT_TRUE(becomes_true([&] { return ended == 4 * each_starts; })) << ended;
}

}  // namespace
}  // namespace troupe
