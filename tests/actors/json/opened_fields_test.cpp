#include "actors/json/opened_fields.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(opened_fields_test, leads_where_a_pointer_into_the_whole_leads) {
  const json_text object{R"({"":0,"a/b":{"c":[1,{"~":2}]},"list":[[3]],"n":null})"};
  const auto opened = opened_fields::of(object);
  const auto whole = parse(object);
  for (const auto* pointer : {"",
                              "/",
                              "/n",
                              "/n/x",
                              "/a~1b",
                              "/a~1b/c",
                              "/a~1b/c/1/~0",
                              "/a~1b/c/2",
                              "/a/b",
                              "/a~2b",
                              "/a~",
                              "/list/0/0",
                              "/list/00",
                              "/list/-",
                              "list",
                              "//",
                              "/x"}) {
    const auto* expected = find(whole, pointer);
    const auto* found = opened.find(pointer);
    ASSERT_EQ(found == nullptr, expected == nullptr) << pointer;
    if (found != nullptr) {
      EXPECT_EQ(canonical(*found), canonical(*expected)) << pointer;
    }
  }
}

TEST(opened_fields_test, what_it_led_to_stays_where_it_is) {
  const auto opened = opened_fields::of(json_text{R"({"a":[1],"b":[2],"c":[3]})"});
  const auto* first = opened.find("/a");
  static_cast<void>(opened.find("/b/0"));
  static_cast<void>(opened.find(""));
  static_cast<void>(opened.find("/c"));
  EXPECT_EQ(opened.find("/a"), first);
  EXPECT_EQ(canonical(*first).str(), "[1]");
}

TEST(opened_fields_test, what_is_no_object_is_a_bug) {
  EXPECT_THROW(static_cast<void>(opened_fields::of(json_text{"[]"})), bug);
}

}  // namespace
}  // namespace troupe
