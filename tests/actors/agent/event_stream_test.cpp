#include "actors/agent/event_stream.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

using texts = std::vector<std::string>;

texts events_of(std::string_view bytes) {
  event_stream stream;
  auto all = stream.feed(bytes);
  if (auto rest = stream.rest()) {
    all.push_back("rest:" + *rest);
  }
  return all;
}

TEST(event_stream, as_the_standard_says) {
  struct expectation {
    const char* name;
    std::string bytes;
    texts events;
  };
  const std::vector<expectation> table{
      {"nothing", "", {}},
      {"one", "data: a\n\n", {"a"}},
      {"one blank goes, and one only", "data:a\n\ndata:  b\n\n", {"a", " b"}},
      {"lines of one event", "data: a\ndata:\ndata: b\n\n", {"a\n\nb"}},
      {"a field without a colon is empty", "data\n\n", {""}},
      {"CR, LF and CRLF", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", {"a", "b", "c"}},
      {"lines of one event with CRLF", "data: a\r\ndata: b\r\n\r\n", {"a\nb"}},
      {"comments and other fields", ":data: x\nevent: e\nid: 1\nretry: 5\nxdata: y\ndata: a\n\n", {"a"}},
      {"an event without data is none", "event: ping\n\n\n\ndata: a\n\n", {"a"}},
      {"a mark at the front",
       "\xEF\xBB\xBF"
       "data: a\n\n",
       {"a"}},
      {"a mark elsewhere is no mark",
       "data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {"a"}},
      {"no empty line at the end", "data: a\n\ndata: b\n", {"a", "rest:b"}},
      {"no line end at the end", "data: a\n\ndata: b", {"a", "rest:b"}},
      {"a part of a field's name at the end", "data: a\n\ndat", {"a"}},
      {"bytes that are no text", std::string{"data: \0\xFF\n\n", 10}, {std::string{"\0\xFF", 2}}},
  };
  for (const auto& each : table) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(events_of(each.bytes), each.events);
  }
}

TEST(event_stream, what_comes_out_does_not_depend_on_where_it_was_split) {
  const std::vector<std::string> pieces{"data",
                                        ":",
                                        " ",
                                        "a",
                                        "\r",
                                        "\n",
                                        "\r\n",
                                        "\n\n",
                                        "\xEF\xBB\xBF",
                                        "data: x\n",
                                        "data: y\r\n\r\n",
                                        ": c\n",
                                        "\r\r"};
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    std::mt19937 random{seed};
    std::string bytes;
    for (int i = 0; i < 12; ++i) {
      bytes += pieces[random() % pieces.size()];
    }
    const auto whole = events_of(bytes);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
      event_stream stream;
      auto all = stream.feed(std::string_view{bytes}.substr(0, split));
      for (auto& each : stream.feed(std::string_view{bytes}.substr(split))) {
        all.push_back(std::move(each));
      }
      if (auto rest = stream.rest()) {
        all.push_back("rest:" + *rest);
      }
      ASSERT_EQ(all, whole) << "seed " << seed << " split at " << split;
    }
    event_stream stream;
    texts all;
    for (const char each : bytes) {
      for (auto& event : stream.feed({&each, 1})) {
        all.push_back(std::move(event));
      }
    }
    if (auto rest = stream.rest()) {
      all.push_back("rest:" + *rest);
    }
    ASSERT_EQ(all, whole) << "seed " << seed << " byte by byte";
  }
}

}  // namespace
}  // namespace troupe
