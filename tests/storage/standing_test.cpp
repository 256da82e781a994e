// What a superstep begins with, as text: frozen, because rows of older versions have it.
#include "storage/standing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

constexpr const char* frozen =
    R"({"arrivals":[["merge","lint","0*3.2"],["merge","te\"st",""]],"steps":[["plan",""],["survey","1.0*2"]]})";

superstep_standing some_standing() {
  superstep_standing standing;
  standing.arrivals = {{step_id{"merge"}, step_id{"lint"}, graph_path{}.then(0).then(0).then(0).then(2)},
                       {step_id{"merge"}, step_id{"te\"st"}, {}}};
  standing.steps = {{step_id{"plan"}, {}}, {step_id{"survey"}, graph_path{}.then(1).then(0).then(0)}};
  return standing;
}

TEST(standing, its_text_is_frozen) {
  EXPECT_EQ(standing_text(some_standing()), frozen);
  EXPECT_EQ(standing_text({}), R"({"arrivals":[],"steps":[]})");
  superstep_standing idle;
  idle.idle = 12;
  EXPECT_EQ(standing_text(idle), R"({"arrivals":[],"idle":12,"steps":[]})");
}

TEST(standing, comes_back_as_it_was) {
  const auto read = standing_from(frozen);
  ASSERT_TRUE(read);
  EXPECT_EQ(standing_text(*read), frozen);
  EXPECT_EQ(read->arrivals.at(1).from, step_id{"te\"st"});
  EXPECT_EQ(read->steps.at(1).path, graph_path{}.then(1).then(0).then(0));
  EXPECT_EQ(standing_from(R"({"arrivals":[],"steps":[]})").value().idle, 0);
  EXPECT_EQ(standing_from(R"({"arrivals":[],"idle":12,"steps":[]})").value().idle, 12);
}

TEST(standing, refuses_what_it_did_not_write) {
  for (const std::string text : {"",
                                 "[]",
                                 "{}",
                                 R"({"arrivals":[]})",
                                 R"({"steps":[],"arrivals":[]})",
                                 R"({"arrivals":[],"more":[],"steps":[]})",
                                 R"({"arrivals":{},"steps":[]})",
                                 R"({"arrivals":[["a","b"]],"steps":[]})",
                                 R"({"arrivals":[["a","b","0","0"]],"steps":[]})",
                                 R"({"arrivals":[["a","b","0*0"]],"steps":[]})",
                                 R"({"arrivals":[],"steps":[["a"]]})",
                                 R"({"arrivals":[],"steps":[["a",0]]})",
                                 R"({"arrivals":[],"steps":["a"]})",
                                 R"({"arrivals":[],"steps":[["a","0."]]})",
                                 R"({"arrivals":[],"steps":[["a","-1"]]})",
                                 R"({"arrivals":[],"idle":0,"steps":[]})",
                                 R"({"arrivals":[],"idle":-1,"steps":[]})",
                                 R"({"arrivals":[],"idle":1.5,"steps":[]})",
                                 R"({"arrivals":[],"more":1,"steps":[]})",
                                 R"({"arrivals":[],"idle":1,"more":1,"steps":[]})",
                                 R"({"arrivals":[],"steps":[)"}) {
    EXPECT_FALSE(standing_from(text)) << text;
  }
}

}  // namespace
}  // namespace troupe
