#include "actors/json/json.hpp"

#include "messages/base/invariant.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

std::string round_trip(std::string_view text) {
  const auto value = parse(text);
  return value ? canonical(*value).str() : "refused: " + value.error().message;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(json_test, writes_the_canonical_form_of_the_contract) {
  const std::vector<std::pair<std::string, std::string>> table{
      {" null ", "null"},
      {"\t[ ]\r\n", "[]"},
      {"{ }", "{}"},
      {"[1, 2,\n3]", "[1,2,3]"},
      {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
      {R"({"b":{"d":1,"c":2},"B":0,"a":[{"z":1,"y":2}]})", R"({"B":0,"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}})"},
      {R"({"a":1,"a":2})", R"({"a":2})"},
      {R"({"":0})", R"({"":0})"},
      {R"({"aa":0,"a":1})", R"({"a":1,"aa":0})"},
      // By code point: U+FFFF before U+10000, which in UTF-16 would come first.
      {"{\"\\uD800\\uDC00\":1,\"\\uFFFF\":2}", "{\"\xEF\xBF\xBF\":2,\"\xF0\x90\x80\x80\":1}"},
      {R"("\u0041\/\u00e9\u2028")", "\"A/\xC3\xA9\xE2\x80\xA8\""},
      {R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\""},
      {R"("\u0000\u001F\u007f\u000A")", "\"\\u0000\\u001f\x7f\\n\""},
      {"1.0", "1"},
      {"-0", "0"},
      {"-0.0", "0"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"100e-2", "1"},
      {"0.1", "0.1"},
      {"1e-7", "1e-7"},
      {"1e21", "1e+21"},
      {"9007199254740993", "9007199254740993"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775808", "9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "18446744073709552000"},
      {"-9223372036854775809", "-9223372036854776000"},
      {"123456789012345678901", "123456789012345680000"},
      {"0.1000000000000000055511151231257827021181583404541015625", "0.1"},
      {"1e-400", "0"},
      {"-1e-400", "0"},
      {"5e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
  };
  for (const auto& [text, form] : table) {
    EXPECT_EQ(round_trip(text), form) << text;
    EXPECT_EQ(round_trip(form), form) << text;
  }
}

TEST(json_test, refuses_what_rfc_8259_does_not_allow_and_says_where) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "line 1, column 1 (byte 0)"},
      {"nul", "line 1, column 4 (byte 3)"},
      {"[1,2", "line 1, column 5 (byte 4)"},
      {"{\"a\":1,}", "line 1, column 8 (byte 7)"},
      {"{\n  \"a\": tru\n}", "line 2, column 8 (byte 9)"},
      {"[1]\n\n]", "line 3, column 1 (byte 5)"},
      {"1 2", "line 1, column 3 (byte 2)"},
      {"[1] // why", "line 1, column 5 (byte 4)"},
      {"01", "line 1, column 2 (byte 1)"},
      {"[1,\n 1e999]", "line 2, column 2 (byte 5)"},
      {"-1e999", "line 1, column 1 (byte 0)"},
      {std::string("1\0", 2), "line 1, column 2 (byte 1)"},
  };
  for (const auto& [text, place] : table) {
    const auto value = parse(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, error_code::output_invalid);
    EXPECT_NE(value.error().message.find("not JSON at " + place + ": "), std::string::npos)
        << text << " gives " << value.error().message;
  }
  for (const auto* text : {"[1,]",
                           "{a:1}",
                           "{'a':1}",
                           "+1",
                           ".5",
                           "1.",
                           "-",
                           "1e",
                           "NaN",
                           "Infinity",
                           "True",
                           "\"a",
                           "\"\t\"",
                           "\"\\x41\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\xFF\"",
                           "\"\xED\xA0\x80\"",
                           "\xEF\xBB\xBF{}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{1:2}",
                           "/**/1",
                           "[1 2]",
                           "]",
                           "0x10"}) {
    EXPECT_FALSE(parse(text).has_value()) << text;
  }
}

TEST(json_test, follows_nesting_to_its_limit_and_no_further) {
  EXPECT_TRUE(parse(nested(json_depth_max)).has_value());
  const auto deeper = parse(nested(json_depth_max + 1));
  ASSERT_FALSE(deeper.has_value());
  EXPECT_EQ(deeper.error().code, error_code::output_invalid);
  EXPECT_FALSE(parse(std::string(1'000'000, '[')).has_value());
}

// An answer as deep as is allowed becomes part of a state, of a list of deltas, of a verdict: all are read again.
TEST(json_test, reads_back_what_holds_the_deepest_answer) {
  const json_text wrapped{R"({"a":[[{"b":)" + nested(json_depth_max) + "}]]}"};
  EXPECT_EQ(canonical(parse(wrapped)), wrapped);
}

TEST(json_test, canonical_text_that_is_not_json_is_a_bug) {
  EXPECT_THROW(parse(json_text{"{"}), bug);
  EXPECT_THROW(parse(json_text{""}), bug);
}

// RFC 6901, section 5, and what it says of indices in section 4.
TEST(json_test, pointers_lead_where_rfc_6901_says) {
  const auto value = *parse(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8,"~1":9,"01":10})");
  const std::vector<std::pair<std::string, std::string>> table{
      {"", canonical(value).str()},
      {"/foo", R"(["bar","baz"])"},
      {"/foo/0", R"("bar")"},
      {"/foo/1", R"("baz")"},
      {"/", "0"},
      {"/a~1b", "1"},
      {"/c%d", "2"},
      {"/e^f", "3"},
      {"/g|h", "4"},
      {"/i\\j", "5"},
      {"/k\"l", "6"},
      {"/ ", "7"},
      {"/m~0n", "8"},
      {"/~01", "9"},
      {"/01", "10"},
  };
  for (const auto& [pointer, found] : table) {
    const auto* at = find(value, pointer);
    ASSERT_NE(at, nullptr) << pointer;
    EXPECT_EQ(canonical(*at).str(), found) << pointer;
  }
  for (const auto* pointer : {"foo",
                              "/bar",
                              "/foo/2",
                              "/foo/-",
                              "/foo/00",
                              "/foo/01",
                              "/foo/+1",
                              "/foo/0x0",
                              "/foo/",
                              "/foo/0/x",
                              "/foo/99999999999999999999",
                              "/m~n",
                              "/m~2n",
                              "/m~",
                              "//",
                              "/foo//0"}) {
    EXPECT_EQ(find(value, pointer), nullptr) << pointer;
  }
}

TEST(json_test, the_state_hash_is_the_digest_of_the_text) {
  EXPECT_EQ(state_hash(json_text{"{}"}), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

// A value of any shape, from a seed.
json::value random_value(std::mt19937_64& random, int depth) {
  const auto text = [&] {
    std::string out;
    for (auto left = random() % 8; left > 0; --left) {
      const auto point = static_cast<char>(random() % 128);
      out += random() % 4 == 0 ? std::string{"\xF0\x9F\x98\x80"} : std::string(1, point);
    }
    return out;
  };
  switch (random() % (depth > 0 ? 8U : 6U)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<std::int64_t>(random());
    case 3:
      return random();
    case 4: {
      const auto number = std::bit_cast<double>(random());
      return std::isfinite(number) ? number : static_cast<double>(random() % 100'000) / 7.0;
    }
    case 5:
      return json::value(text());
    case 6: {
      json::array list;
      for (auto left = random() % 5; left > 0; --left) {
        list.push_back(random_value(random, depth - 1));
      }
      return list;
    }
    default: {
      json::object object;
      for (auto left = random() % 5; left > 0; --left) {
        object[text()] = random_value(random, depth - 1);
      }
      return object;
    }
  }
}

TEST(json_test, reading_and_writing_again_changes_nothing) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937_64 random{seed};
    const auto first = canonical(random_value(random, 5));
    const auto value = parse(std::string_view{first.str()});
    ASSERT_TRUE(value.has_value()) << "seed " << seed << ": " << first;
    ASSERT_EQ(canonical(*value), first) << "seed " << seed;
    ASSERT_EQ(canonical(parse(first)), first) << "seed " << seed;
  }
}

// Boost.JSON 1.81 reads one double in ten wrong by its last bit.
TEST(json_test, doubles_are_read_exactly) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 100'000; ++i) {
    const double number = static_cast<double>(random() % 1'000'000'000) / static_cast<double>(random() % 100'000 + 1);
    std::string text;
    append_json_number(text, number);
    const auto value = parse(text);
    ASSERT_TRUE(value.has_value()) << text;
    ASSERT_EQ(value->to_number<double>(), number) << text;
  }
}

}  // namespace
}  // namespace troupe
