#include "messages/base/json_text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

std::string number_text(double number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

// The digits of a number's text without sign, point, exponent and the zeros at both ends.
std::string significant(std::string_view text) {
  std::string digits;
  for (const char c : text.substr(0, text.find('e'))) {
    if (c >= '0' && c <= '9') {
      digits += c;
    }
  }
  digits.erase(0, digits.find_first_not_of('0'));
  return digits.erase(digits.find_last_not_of('0') + 1);
}

TEST(json_text_test, is_null_unless_told_otherwise) {
  EXPECT_EQ(json_text{}.str(), "null");
  EXPECT_EQ(json_text{}, json_text{"null"});
  EXPECT_NE(json_text{}, json_text{"0"});
}

// ECMA-262, 6.1.6.1.20, Number::toString: each branch of it, and its borders.
TEST(json_text_test, numbers_have_the_form_of_ecmascript) {
  const std::vector<std::pair<double, std::string>> table{
      {0.0, "0"},
      {-0.0, "0"},
      {1.0, "1"},
      {-1.0, "-1"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1.5, "1.5"},
      {-12.25, "-12.25"},
      {100000.0, "100000"},
      {123456.789, "123456.789"},
      {0.000001, "0.000001"},
      {0.00000123, "0.00000123"},
      {0.0000001, "1e-7"},
      {0.000000123, "1.23e-7"},
      {-1.5e-9, "-1.5e-9"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {1.5e21, "1.5e+21"},
      {1e22, "1e+22"},
      {-1e100, "-1e+100"},
      {9007199254740993.0, "9007199254740992"},
      {18446744073709551616.0, "18446744073709552000"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {4.35, "4.35"},
      {2.0 / 3.0, "0.6666666666666666"},
  };
  for (const auto& [number, text] : table) {
    EXPECT_EQ(number_text(number), text);
  }
}

TEST(json_text_test, numbers_that_json_does_not_have_print_as_null) {
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "null");
}

// Against strtod for the way back, and against the shortest scientific form for the digits.
TEST(json_text_test, numbers_read_back_from_the_shortest_digits) {
  std::mt19937_64 random{20'260'722};
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = random();
    double number = std::bit_cast<double>(bits);
    if (i % 2 == 0) {  // every other one of a usual size
      number = static_cast<double>(bits % 100'000'000'000) / static_cast<double>(1 + bits % 9973);
    }
    if (!std::isfinite(number)) {
      continue;
    }
    const auto text = number_text(number);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), number) << text;
    char shortest[64];
    const auto end = std::to_chars(shortest, shortest + sizeof shortest, number, std::chars_format::scientific);
    ASSERT_EQ(significant(text), significant({shortest, static_cast<std::size_t>(end.ptr - shortest)})) << text;
  }
}

TEST(json_text_test, strings_escape_what_rfc_8259_demands_and_no_more) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("\"\\/"), "\"\\\"\\\\/\"");
  EXPECT_EQ(json_string("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
  EXPECT_EQ(json_string(std::string("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json_string("\xE2\x80\xA8 \xC3\xA9 \xF0\x9F\x98\x80"), "\"\xE2\x80\xA8 \xC3\xA9 \xF0\x9F\x98\x80\"");
  EXPECT_EQ(json_string("a\xFF"
                        "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
}

// Unicode 15, section 3.9, table 3-8 and its neighbours: one U+FFFD for each maximal subpart.
TEST(json_text_test, ill_formed_sequences_are_replaced_by_maximal_subparts) {
  const std::string r = "\xEF\xBF\xBD";
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ""},
      {"plain", "plain"},
      {std::string("a\0b", 3), std::string("a\0b", 3)},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},                  // U+10FFFF
      {"\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80"},  // around the surrogates
      {"\x80", r},                                               // alone
      {"\xBF\xBF", r + r},                                       //
      {"\xC0\xAF", r + r},                                       // overlong
      {"\xC1\xBF", r + r},                                       //
      {"\xE0\x80\xAF", r + r + r},                               //
      {"\xE0\x9F\xBF", r + r + r},                               //
      {"\xF0\x80\x80\xAF", r + r + r + r},                       //
      {"\xF0\x8F\xBF\xBF", r + r + r + r},                       //
      {"\xED\xA0\x80", r + r + r},                               // a surrogate
      {"\xED\xBF\xBF", r + r + r},                               //
      {"\xF4\x90\x80\x80", r + r + r + r},                       // above U+10FFFF
      {"\xF5\x80\x80\x80", r + r + r + r},                       //
      {"\xFE\xFF", r + r},                                       //
      {"\xE2\x82", r},                                           // cut at the end
      {"\xF0\x9F\x98", r},                                       //
      {"\xF0\x9F", r},                                           //
      {"\xC3", r},                                               //
      {"\xE2\x82"
       "A",
       r + "A"},                             // cut by another
      {"\xF0\x9F\xC3\xA9", r + "\xC3\xA9"},  //
      {"\x41\xC0\xAF\x41\xF4\x80\x80\x41", "A" + r + r + "A" + r + "A"},
      {"\x41\xE2\x98\xC3\x41", "A" + r + r + "A"},
  };
  for (const auto& [bytes, repaired] : table) {
    EXPECT_EQ(repair_utf8(bytes), repaired);
    EXPECT_EQ(repair_utf8(repaired), repaired);
    EXPECT_EQ(json_string(bytes), json_string(repaired));
  }
}

TEST(json_text_test, copies_share_the_text) {
  const json_text one{"\"" + std::string(1'000, 'x') + "\""};
  const auto other = one;  // NOLINT(performance-unnecessary-copy-initialization): that is what is tested
  EXPECT_EQ(&other.str(), &one.str());
  EXPECT_EQ(json_text{one.str()}, one);
  EXPECT_NE(json_text{}, one);
  EXPECT_EQ(json_text{}, json_text{"null"});
}

}  // namespace
}  // namespace troupe
