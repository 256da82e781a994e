// One run in a house: what most tests of runs begin and end with.
#pragma once

#include "messages/run.hpp"
#include "tests/support/house.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace troupe {

inline constexpr const char* one_agent = R"(
name = "one"
[[step]]
id = "ask"
agent = "a"
prompt = "hello"
)";

inline constexpr const char* two_agents = R"(
name = "two"
[[step]]
id = "first"
agent = "a"
prompt = "hello"
next = "second"
[[step]]
id = "second"
agent = "b"
prompt = "hello"
)";

inline constexpr const char* three_agents = R"(
name = "three"
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hello"
)";

class run_fixture : public testing::Test {
 protected:
  /// How many events of this kind were told.
  std::int64_t count(const std::string& kind) const {
    const auto all = house_.kinds();
    return std::ranges::count(all, kind);
  }

  /// Submits, listens, and lets the run start what it can.
  void begin(const std::string& toml) {
    house_.start();
    const auto reply = house_.submit(toml);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    house_.listen();
  }

  /// A run that is over has told its end once, after everything else, and its numbers have no gap.
  void expect_end(run_state state) {
    const auto run = house_.view();
    EXPECT_EQ(run.state, state) << (run.why ? run.why->message : "");
    EXPECT_THAT(house_.seqs_are_gapless(), testing::IsEmpty());
    ASSERT_FALSE(house_.events.empty());
    EXPECT_TRUE(ends_run(house_.events.back().kind));
    EXPECT_EQ(house_.events.back().seq, run.last_seq);
  }

  house house_;
};

}  // namespace troupe
