#include "actors/json/difference.hpp"

#include "actors/json/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

std::string text(const char* left, const char* right) {
  std::string all;
  for (const auto& each : differences(*parse(std::string_view{left}), *parse(std::string_view{right}))) {
    all +=
        each.pointer + ' ' + (each.left ? each.left->str() : "-") + ' ' + (each.right ? each.right->str() : "-") + '\n';
  }
  return all;
}

TEST(difference_test, equal_values_have_none) {
  EXPECT_EQ(text(R"({"a":[1,{"b":null}],"c":1.0})", R"({"c":1,"a":[1,{"b":null}]})"), "");
  EXPECT_EQ(text("[]", "[]"), "");
}

TEST(difference_test, places_are_told_as_deep_as_they_differ) {
  EXPECT_EQ(text(R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1,"c":4},"d":3})"), "/a/c 2 4\n");
  EXPECT_EQ(text("[1,2,3]", "[1,5]"), "/1 2 5\n/2 3 -\n");
  EXPECT_EQ(text(R"({"b":1})", R"({"a":1})"), "/a - 1\n/b 1 -\n");
  EXPECT_EQ(text(R"({"a":[1]})", R"({"a":{"0":1}})"), "/a [1] {\"0\":1}\n");
  EXPECT_EQ(text("1", "\"1\""), " 1 \"1\"\n");
}

TEST(difference_test, names_are_escaped_in_pointers) {
  EXPECT_EQ(text(R"({"a/b~c":1,"":2})", R"({"a/b~c":2,"":3})"), "/ 2 3\n/a~1b~0c 1 2\n");
}

}  // namespace
}  // namespace troupe
