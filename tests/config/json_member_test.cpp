#include "config/json_member.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

std::string found(const std::string& object, const std::string& name) {
  const auto value = member_of(json_text{object}, name);
  return value ? value->str() : "none";
}

TEST(json_member, is_found_among_others_of_every_kind) {
  const std::string object =
      R"({"a":{"b":1,"x":"}"},"b":[1,[2,"],{"]],"c":"\",\"d\":0","d":null,"e":-1.5,"f":true,"g":{},"h":[]})";
  EXPECT_EQ(found(object, "a"), R"({"b":1,"x":"}"})");
  EXPECT_EQ(found(object, "b"), R"([1,[2,"],{"]])");
  EXPECT_EQ(found(object, "c"), R"("\",\"d\":0")");
  EXPECT_EQ(found(object, "d"), "null");
  EXPECT_EQ(found(object, "e"), "-1.5");
  EXPECT_EQ(found(object, "f"), "true");
  EXPECT_EQ(found(object, "g"), "{}");
  EXPECT_EQ(found(object, "h"), "[]");
  EXPECT_EQ(found(object, "x"), "none");
  EXPECT_EQ(found(object, ""), "none");
}

TEST(json_member, of_what_is_no_object_is_none) {
  for (const std::string text : {"", "{}", "[]", "null", "{", "{\"", "{\"a", "{\"a\"", "[\"a\"]", "\"a\""}) {
    EXPECT_EQ(found(text, "a"), "none") << text;
  }
}

}  // namespace
}  // namespace troupe::test
