#include "storage/legacy_grouping.hpp"

#include "messages/base/sha256.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace troupe {
namespace {

using role = legacy_member::role;
using testing::ElementsAre;

constexpr std::int64_t noon = 1'760'788'800;
constexpr std::int64_t hour = 3'600;

legacy_entry entry_of(legacy_table table, const std::string& key, const std::string& run, std::int64_t second) {
  legacy_entry entry;
  entry.table = table;
  entry.key = key;
  entry.spec_id = "SPEC-1";
  entry.stage = "plan";
  entry.run = run;
  entry.at = timestamp{std::chrono::seconds{noon + second}};
  return entry;
}

legacy_entry artefact(const std::string& key,
                      const std::string& agent,
                      const std::string& run,
                      std::int64_t second,
                      const std::string& response = "") {
  auto entry = entry_of(legacy_table::artefacts, key, run, second);
  entry.agent = agent;
  entry.content = sha256("content of " + key);
  if (!response.empty()) {
    entry.response = sha256(response);
  }
  return entry;
}

legacy_entry execution(const std::string& key,
                       const std::string& agent,
                       const std::string& run,
                       std::int64_t second,
                       const std::string& response = "") {
  auto entry = entry_of(legacy_table::executions, key, run, second);
  entry.agent = agent;
  if (!response.empty()) {
    entry.content = entry.response = sha256(response);
  }
  return entry;
}

legacy_entry synthesis(const std::string& key, const std::string& run, std::int64_t second) {
  return entry_of(legacy_table::syntheses, key, run, second);
}

/// Each group as the keys of its members: `1`, `e1=1` for an execution beside artefact 1, `e1?` for one that gave
/// nothing, `s1!`.
std::vector<std::string> told(const std::vector<legacy_entry>& entries) {
  std::vector<std::string> all;
  const auto grouped = group_legacy(entries);
  for (const auto& group : grouped.groups) {
    std::string text;
    for (const auto& member : group.members) {
      text += (text.empty() ? "" : " ") + entries[member.entry].key;
      switch (member.is) {
        case role::output:
          break;
        case role::beside_output:
          text += "=" + entries[group.members[member.artefact].entry].key;
          break;
        case role::beside_consensus:
          text += "?";
          break;
        case role::synthesis:
          text += "!";
          break;
      }
    }
    all.push_back(text);
  }
  for (const auto i : grouped.without_content) {
    all.push_back("alone " + entries[i].key);
  }
  return all;
}

TEST(legacy_grouping, rows_of_one_run_are_one_consensus_however_long_it_took) {
  EXPECT_THAT(told({artefact("1", "a", "r1", 0),
                    artefact("2", "b", "r2", 1),
                    artefact("3", "b", "r1", 50 * hour),
                    artefact("4", "a", "r2", 2),
                    synthesis("s1", "r1", 60 * hour),
                    synthesis("s2", "r2", 3)}),
              ElementsAre("1 3 s1!", "2 4 s2!"));
}

TEST(legacy_grouping, a_run_is_one_consensus_for_each_spec_and_stage) {
  auto elsewhere = artefact("2", "a", "r1", 1);
  elsewhere.stage = "tasks";
  auto about_other = artefact("3", "a", "r1", 2);
  about_other.spec_id = "SPEC-2";
  EXPECT_THAT(told({artefact("1", "a", "r1", 0), elsewhere, about_other}), ElementsAre("1", "2", "3"));
}

TEST(legacy_grouping, a_second_synthesis_of_a_run_stands_alone) {
  EXPECT_THAT(told({artefact("1", "a", "r1", 0), synthesis("s2", "r1", 20), synthesis("s1", "r1", 10)}),
              ElementsAre("1 s1!", "s2!"));
}

TEST(legacy_grouping, without_runs_an_agent_that_comes_again_begins_the_next) {
  EXPECT_THAT(
      told(
          {artefact("1", "a", "", 0), artefact("2", "b", "", 1), artefact("3", "a", "", 2), artefact("4", "b", "", 3)}),
      ElementsAre("1 2", "3 4"));
}

TEST(legacy_grouping, without_runs_a_long_gap_begins_the_next) {
  EXPECT_THAT(told({artefact("1", "a", "", 0), artefact("2", "b", "", hour), artefact("3", "c", "", 2 * hour + 1)}),
              ElementsAre("1 2", "3"));
}

TEST(legacy_grouping, without_runs_a_synthesis_ends_its_consensus) {
  EXPECT_THAT(told({artefact("1", "a", "", 0),
                    synthesis("s1", "", 1),
                    artefact("2", "b", "", 2),
                    synthesis("s2", "", 3),
                    synthesis("s3", "", 4),
                    synthesis("s4", "", 9 * hour)}),
              ElementsAre("1 s1!", "2 s2!", "s3!", "s4!"));
}

TEST(legacy_grouping, a_synthesis_that_has_no_run_or_an_unknown_one_goes_to_what_ended_last) {
  EXPECT_THAT(told({artefact("1", "a", "r1", 0), artefact("2", "a", "r2", 5), synthesis("s1", "", 6)}),
              ElementsAre("1", "2 s1!"));
  EXPECT_THAT(told({artefact("1", "a", "r1", 0), synthesis("s1", "elsewhere", 6)}), ElementsAre("1 s1!"));
  EXPECT_THAT(told({artefact("1", "a", "r1", 10), synthesis("s1", "", 6)}), ElementsAre("s1!", "1"));
}

TEST(legacy_grouping, an_execution_with_the_text_of_an_artefact_is_beside_it) {
  EXPECT_THAT(told({artefact("1", "a", "r", 0, "one"),
                    artefact("2", "b", "r", 0, "two"),
                    execution("e1", "b", "r", 0, "two"),
                    execution("e2", "a", "r", 0, "one"),
                    execution("e3", "a", "r", 0, "another"),
                    execution("e4", "c", "r", 0, "two")}),
              ElementsAre("1 2 e1=2 e2=1 e3 e4"));
}

TEST(legacy_grouping, an_execution_is_beside_the_artefact_of_its_agent_where_one_of_the_two_has_no_text) {
  EXPECT_THAT(told({artefact("1", "a", "r", 0), execution("e1", "a", "r", 0, "raw")}), ElementsAre("1 e1=1"));
  EXPECT_THAT(told({artefact("1", "a", "r", 0, "raw"), execution("e1", "a", "r", 0)}), ElementsAre("1 e1=1"));
  EXPECT_THAT(told({artefact("1", "a", "r", 0), execution("e1", "a", "r", 0), execution("e2", "a", "r", 1)}),
              ElementsAre("1 e1=1 e2?"));
}

TEST(legacy_grouping, executions_that_gave_nothing_need_company) {
  EXPECT_THAT(told({execution("e1", "a", "r", 0), execution("e2", "b", "r", 0)}), ElementsAre("alone e1", "alone e2"));
  EXPECT_THAT(told({execution("e1", "a", "r", 0), execution("e2", "b", "r", 0, "text")}), ElementsAre("e1? e2"));
  EXPECT_THAT(told({execution("e1", "a", "r", 0), synthesis("s1", "r", 0)}), ElementsAre("e1? s1!"));
}

TEST(legacy_grouping, an_artefact_without_run_takes_that_of_the_execution_with_its_text) {
  EXPECT_THAT(told({artefact("1", "a", "", 0, "one"),
                    artefact("2", "b", "", 9 * hour, "two"),
                    execution("e1", "a", "r", 0, "one"),
                    execution("e2", "b", "r", 0, "two"),
                    synthesis("s1", "r", 10 * hour)}),
              ElementsAre("1 2 e1=1 e2=2 s1!"));
}

TEST(legacy_grouping, puts_each_row_in_one_place_whatever_the_order) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const auto one_of = [&](unsigned count) { return random() % count; };
  for (int round = 0; round < 400; ++round) {
    std::vector<legacy_entry> entries;
    const auto count = one_of(60);
    for (unsigned n = 0; n < count; ++n) {
      const auto key = std::to_string(n);
      const std::string agent{static_cast<char>('a' + one_of(3))};
      const std::string run = one_of(2) == 0 ? "" : "r" + std::to_string(one_of(4));
      const auto second = static_cast<std::int64_t>(one_of(20)) * (one_of(4) == 0 ? hour : 60);
      const std::string text = one_of(2) == 0 ? "" : "text " + std::to_string(one_of(5));
      const auto kind = one_of(3);
      auto entry = kind == 0   ? artefact(key, agent, run, second, text)
                   : kind == 1 ? execution(key, agent, run, second, text)
                               : synthesis(key, run, second);
      entry.spec_id += std::to_string(one_of(2));
      entries.push_back(std::move(entry));
    }
    const auto grouped = group_legacy(entries);
    std::multiset<std::size_t> placed{grouped.without_content.begin(), grouped.without_content.end()};
    for (const auto& group : grouped.groups) {
      ASSERT_FALSE(group.members.empty());
      for (std::size_t m = 0; m < group.members.size(); ++m) {
        const auto& member = group.members[m];
        const auto& entry = entries[member.entry];
        placed.insert(member.entry);
        EXPECT_EQ(entry.spec_id, entries[group.members.front().entry].spec_id);
        EXPECT_LE(group.at, entry.at);
        EXPECT_EQ(member.is == role::synthesis, entry.table == legacy_table::syntheses);
        EXPECT_TRUE(member.is != role::synthesis || m + 1 == group.members.size());
        EXPECT_TRUE(member.is != role::output || entry.content);
        if (member.is == role::beside_output) {
          ASSERT_LT(member.artefact, m);
          EXPECT_EQ(entries[group.members[member.artefact].entry].table, legacy_table::artefacts);
          EXPECT_EQ(entries[group.members[member.artefact].entry].agent, entry.agent);
        }
      }
    }
    ASSERT_EQ(placed.size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(placed.count(i), 1U) << i;
    }
    auto shuffled = entries;
    std::ranges::shuffle(shuffled, random);
    auto one = told(entries);
    auto other = told(shuffled);
    std::ranges::sort(one);  // what stands alone without content comes in no order that matters
    std::ranges::sort(other);
    ASSERT_EQ(one, other);
  }
}

}  // namespace
}  // namespace troupe
