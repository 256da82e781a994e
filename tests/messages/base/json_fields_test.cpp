#include "messages/base/json_fields.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using members = std::map<std::string, std::string>;

// As a naive writer would have it.
std::string text_of(const members& all) {
  std::string text = "{";
  for (const auto& [name, value] : all) {
    text += (text.size() > 1 ? "," : "") + json_string(name) + ':' + value;
  }
  return text + '}';
}

json_fields fields(const std::string& text) { return json_fields::from(json_text{text}).value(); }

TEST(json_fields_test, finds_members_by_their_names) {
  const auto all = fields(R"({"a":1,"b":{"c":[2,"}"]},"d":"\\\""})");
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(all.find("a"), "1");
  EXPECT_EQ(all.find("b"), R"({"c":[2,"}"]})");
  EXPECT_EQ(all.find("d"), R"("\\\"")");
  EXPECT_EQ(all.find("c"), std::nullopt);
  EXPECT_EQ(all.find(""), std::nullopt);
  EXPECT_EQ(all.find("z"), std::nullopt);
  EXPECT_EQ(json_fields{}.text().str(), "{}");
}

TEST(json_fields_test, refuses_what_is_no_object_in_canonical_form) {
  for (const auto* text : {"",
                           "null",
                           "[]",
                           "{",
                           "{}x",
                           R"({"a"})",
                           R"({"a":})",
                           R"({"a":1,})",
                           R"({"a":1)",
                           R"({"a":1]})",
                           R"({"b":1,"a":2})",
                           R"({"a":1,"a":2})",
                           R"({"a\":1})",
                           R"({"\x":1})",
                           R"({ "a":1})"}) {
    EXPECT_FALSE(json_fields::from(json_text{text})) << text;
  }
}

TEST(json_fields_test, one_change_leaves_the_others_as_they_are) {
  const auto all = fields(R"({"a":1,"c":3})");
  EXPECT_EQ(all.with({{"b", "2"}}).text().str(), R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(all.with({{"a", "[]"}}).text().str(), R"({"a":[],"c":3})");
  EXPECT_EQ(all.with({{"c", std::nullopt}}).text().str(), R"({"a":1})");
  EXPECT_EQ(all.with({{"a", std::nullopt}, {"c", std::nullopt}}).text().str(), "{}");
  EXPECT_EQ(all.with({{"x", std::nullopt}}).text().str(), all.text().str());
  EXPECT_EQ(all.with({}).text().str(), all.text().str());
  EXPECT_EQ(all.text().str(), R"({"a":1,"c":3})") << "it never changes itself";
}

// Names whose escapes are not in the order of the names themselves: U+0001 is `\u0001`, the quotation mark `\"`.
TEST(json_fields_test, names_are_in_the_order_of_their_code_points) {
  const members all{{"\x01", "1"}, {"!", "2"}, {"\"", "3"}, {"#", "4"}, {"\\", "5"}, {"]", "6"}, {"\xC3\xA9", "7"}};
  const auto read = fields(text_of(all));
  for (const auto& [name, value] : all) {
    EXPECT_EQ(read.find(name), value) << name;
  }
  EXPECT_EQ(read.with({{"\"", "30"}}).find("\""), "30");
}

// Random objects and changes against a map of their members.
TEST(json_fields_test, is_what_a_map_of_the_members_would_be) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const std::vector<std::string> names{"a", "aa", "b", "\"", "\\", "\n", "\x01", "\xE2\x82\xAC", "z\"z", "", "A", "0"};
  const std::vector<std::string> values{"1", "null", "\"\"", R"("\"")", "[1,{}]", R"({"a":"]","b":[]})", R"("\\")"};
  const auto any = [&](const std::vector<std::string>& of) { return of[random() % of.size()]; };
  members expected;
  json_fields now;
  for (int round = 0; round < 2'000; ++round) {
    std::map<std::string, std::optional<std::string>> told;
    for (auto left = random() % 4; left > 0; --left) {
      told[any(names)] = random() % 3 == 0 ? std::nullopt : std::optional{any(values)};
    }
    for (const auto& [name, value] : told) {
      if (value) {
        expected[name] = *value;
      } else {
        expected.erase(name);
      }
    }
    const auto after = now.with({told.begin(), told.end()});
    ASSERT_EQ(after.text().str(), text_of(expected)) << "from " << now.text();
    ASSERT_EQ(after.size(), expected.size());
    for (const auto& name : names) {
      const auto found = expected.find(name);
      ASSERT_EQ(after.find(name),
                found == expected.end() ? std::nullopt : std::optional<std::string_view>{found->second});
    }
    const auto changes = now.changes_to(after);
    for (const auto& [name, value] : changes) {
      ASSERT_NE(now.find(name), value) << "no more than what differs: " << name;
    }
    ASSERT_EQ(now.with(changes).text(), after.text());
    ASSERT_EQ(fields(after.text().str()).text(), after.text());
    now = after;
  }
}

}  // namespace
}  // namespace troupe
