#include "messages/endpoint.hpp"

#include <gtest/gtest.h>

#include <array>

namespace troupe {
namespace {

TEST(endpoint, tells_whether_it_is_this_machine) {
  struct expectation {
    const char* text;
    const char* host;
    bool secure;
    bool is_loopback;
  };
  constexpr std::array<expectation, 12> expected{{
      {"http://127.0.0.1:8080/v1", "127.0.0.1", false, true},
      {"https://api.example.com/v1", "api.example.com", true, false},
      {"http://localhost", "localhost", false, true},
      {"http://LOCALHOST:1", "LOCALHOST", false, true},
      {"http://model.localhost/", "model.localhost", false, true},
      {"http://[::1]:8080/v1", "::1", false, true},
      {"http://[fe80::1]", "fe80::1", false, false},
      {"http://127.255.0.9", "127.255.0.9", false, true},
      {"http://127.0.0.1.example.com", "127.0.0.1.example.com", false, false},
      {"http://127.0.0", "127.0.0", false, false},
      {"http://localhost.example.com", "localhost.example.com", false, false},
      {"http://127.0.0.256", "127.0.0.256", false, false},
  }};
  for (const auto& each : expected) {
    SCOPED_TRACE(each.text);
    const auto found = parse_endpoint(each.text);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(found->host, each.host);
    EXPECT_EQ(found->secure, each.secure);
    EXPECT_EQ(found->is_loopback, each.is_loopback);
  }
}

TEST(endpoint, refuses_what_is_no_address_of_an_api) {
  for (const char* text : {"",
                           "h",
                           "HTTP://h",
                           "ftp://h",
                           "http://",
                           "http:///v1",
                           "http://:80",
                           "http://h:",
                           "http://h:0",
                           "http://h:65536",
                           "http://h:8a",
                           "http://[::1",
                           "http://[::1]x",
                           "http://u@h",
                           "http://u:p@h/v1",
                           "http://h/?a=b",
                           "http://h#f",
                           "http://h h",
                           "http://h\r\nX: y",
                           "http://h\x7f",
                           "http://h\\u"}) {
    SCOPED_TRACE(text);
    const auto found = parse_endpoint(text);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, error_code::invalid_config);
    EXPECT_FALSE(found.error().hint.empty());
  }
}

}  // namespace
}  // namespace troupe
