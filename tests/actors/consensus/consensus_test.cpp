#include "actors/consensus/consensus.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"
#include "tests/actors/consensus/questions.hpp"

#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

TEST(consensus_test, the_quorum_is_two_thirds_rounded_up_and_at_least_two) {
  const std::vector<int> expected{1, 2, 2, 3, 4, 4, 5, 6, 6, 7};  // docs/adr/0007
  for (int asked = 1; asked <= 10; ++asked) {
    EXPECT_EQ(quorum_of(voting(), asked), expected[static_cast<std::size_t>(asked - 1)]) << asked;
    EXPECT_EQ(quorum_of(voting(1), asked), 1);
  }
  EXPECT_EQ(quorum_of(voting(), 100), 67);
  EXPECT_EQ(quorum_of(voting(), 101), 68);
}

// Three agents, each of three answers: all alike, two alike, all different.
TEST(consensus_test, three_agents_of_three_answers_each) {
  const std::vector<std::string> values{"\"x\"", "\"y\"", "\"z\""};
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      for (std::size_t c = 0; c < 3; ++c) {
        const auto made = reached(voting(2), {values[a], values[b], values[c]});
        const auto same = std::max({1 + (a == b) + (a == c), 1 + (b == a) + (b == c), 1 + (c == a) + (c == b)});
        EXPECT_FALSE(made.degraded);
        EXPECT_EQ(made.quorum, 2);
        EXPECT_EQ(made.answered, agents(3));
        if (same == 1) {
          EXPECT_EQ(made.status, verdict_status::conflict);
          EXPECT_EQ(made.winner, std::nullopt);
          EXPECT_EQ(made.agreement, 0);
          EXPECT_EQ(made.dissent.size(), 3U);
          ASSERT_TRUE(made.why.has_value());
          EXPECT_EQ(made.why->code, error_code::consensus_conflict);
          continue;
        }
        const auto winner = a == b || a == c ? a : b;
        EXPECT_EQ(made.status, verdict_status::ok);
        EXPECT_EQ(text(made.winner), values[winner]);
        EXPECT_DOUBLE_EQ(made.agreement, same / 3.0);
        EXPECT_EQ(made.dissent.size(), same == 3 ? 0U : 1U);
        EXPECT_EQ(made.why, std::nullopt);
      }
    }
  }
}

TEST(consensus_test, four_agents) {
  EXPECT_EQ(reached(voting(), {"1", "1", "1", "1"}).agreement, 1);
  const auto three = reached(voting(), {"1", "2", "1", "1"});
  EXPECT_EQ(three.status, verdict_status::ok);
  EXPECT_EQ(text(three.winner), "1");
  EXPECT_EQ(text(three.agreed), "1:acd");
  EXPECT_EQ(text(three.dissent), "2:b");
  EXPECT_DOUBLE_EQ(three.agreement, 0.75);
  const auto tie = reached(voting(), {"1", "2", "2", "1"});
  EXPECT_EQ(tie.status, verdict_status::conflict);
  EXPECT_EQ(text(tie.dissent), "1:ad 2:bc");
  EXPECT_EQ(tie.why->message, "the agents do not agree: a, d against b, c");
  const auto most = reached(voting(), {"3", "2", "2", "1"});
  EXPECT_EQ(most.status, verdict_status::ok);
  EXPECT_EQ(text(most.winner), "2");
  EXPECT_EQ(text(most.dissent), "1:d 3:a");
}

TEST(consensus_test, one_agent_decides_alone) {
  const auto made = reached(voting(), {"1"});
  EXPECT_EQ(made.status, verdict_status::ok);
  EXPECT_EQ(text(made.winner), "1");
  EXPECT_EQ(reached(voting(), {std::nullopt}).status, verdict_status::insufficient);
}

TEST(consensus_test, three_of_three_two_of_three_and_one_of_three) {
  const auto all = reached(voting(2), {"1", "1", "1"});
  EXPECT_EQ(all.status, verdict_status::ok);
  EXPECT_FALSE(all.degraded);

  const auto two = reached(voting(2), {"1", std::nullopt, "1"});
  EXPECT_EQ(two.status, verdict_status::degraded);
  EXPECT_TRUE(two.degraded);
  EXPECT_EQ(text(two.winner), "1");
  EXPECT_EQ(two.agreement, 1);  // of those who answered
  ASSERT_EQ(two.missing.size(), 1U);
  EXPECT_EQ(two.missing[0].agent, agent_name{"b"});
  EXPECT_EQ(two.missing[0].why, late());

  const auto one = reached(voting(2), {std::nullopt, std::nullopt, "1"});
  EXPECT_EQ(one.status, verdict_status::insufficient);
  EXPECT_TRUE(one.degraded);
  EXPECT_EQ(one.winner, std::nullopt);
  EXPECT_EQ(one.why->code, error_code::quorum_not_met);
  EXPECT_EQ(one.why->message,
            "1 of 3 agents answered, 2 are needed; missing: a (TASK_TIMEOUT: too late) b (TASK_TIMEOUT: too late)");

  EXPECT_EQ(reached(voting(), {"1", std::nullopt, "1"}).status, verdict_status::degraded);  // by default as well
  EXPECT_EQ(reached(voting(2), {std::nullopt, std::nullopt, std::nullopt}).status, verdict_status::insufficient);
}

TEST(consensus_test, a_tie_among_those_who_answered_is_a_conflict_and_still_degraded) {
  const auto made = reached(voting(2), {"1", std::nullopt, "2"});
  EXPECT_EQ(made.status, verdict_status::conflict);
  EXPECT_TRUE(made.degraded);
  EXPECT_EQ(made.missing.size(), 1U);
}

TEST(consensus_test, who_gave_no_answer_and_no_reason_is_missing_all_the_same) {
  const auto made = reach(voting(1),
                          agents(3),
                          std::vector<agent_answer>{{agent_name{"b"}, json_text{"1"}, {}},
                                                    {agent_name{"c"}, std::nullopt, {}},
                                                    {agent_name{"z"}, json_text{"2"}, {}}});
  EXPECT_EQ(made.asked, agents(3));
  EXPECT_EQ(made.answered, std::vector{agent_name{"b"}});  // who was not asked does not count
  ASSERT_EQ(made.missing.size(), 2U);
  EXPECT_EQ(made.missing[0].agent, agent_name{"a"});
  EXPECT_EQ(made.missing[0].why.code, error_code::agent_no_output);
  EXPECT_EQ(made.missing[1].agent, agent_name{"c"});
  EXPECT_EQ(made.status, verdict_status::degraded);
}

TEST(consensus_test, the_order_of_arrival_changes_nothing) {
  const auto asked = agents(5);
  const std::vector<consensus_policy> policies{
      collecting(3), voting(3), voting(3, "/v"), voting_each(2), voting_each(2, {"/k"})};
  for (const auto& policy : policies) {
    auto given = answers({R"({"v":1,"list":[1,2,{"k":1}]})",
                          R"({"v":2,"list":[2,3,{"k":1,"t":0}]})",
                          std::nullopt,
                          R"({"v":"X ","list":[3,3,{"k":1}]})",
                          R"({"v":"x","list":[]})"});
    const auto expected = to_json(reach(policy, asked, given));
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    do {
      std::vector<agent_answer> shuffled;
      for (const auto i : order) {
        shuffled.push_back(given[i]);
      }
      ASSERT_EQ(to_json(reach(policy, asked, shuffled)), expected);
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(consensus_test, answers_are_compared_after_normalising) {
  const std::vector<std::pair<std::string, std::string>> same{
      {"\"Yes\"", "\" yes\\n\""},
      {"\"a  b\\tc\"", "\"A B C\""},
      {R"({"a":"X","b":[1,"Y "]})", R"({"b":[1.0,"y"],"a":"x"})"},
      {"100", "1e2"},
      {"\"\"", "\"  \""},
      {"null", "null"},
  };
  for (const auto& [a, b] : same) {
    const auto one = canonical(*parse(std::string_view{a}));
    const auto other = canonical(*parse(std::string_view{b}));
    EXPECT_EQ(normalised(one), normalised(other)) << a;
    EXPECT_EQ(normalised(normalised(one)), normalised(one)) << a;
  }
  const std::vector<std::pair<std::string, std::string>> different{
      {"\"1\"", "1"},
      {"\"a b\"", "\"ab\""},
      {R"({"a":1})", R"({"A":1})"},
      {"[1,2]", "[2,1]"},
      {"null", "false"},
      {"{}", "[]"},
      {"\"\xC3\x84\"", "\"\xC3\xA4\""},  // ASCII case only
  };
  for (const auto& [a, b] : different) {
    EXPECT_NE(normalised(json_text{a}), normalised(json_text{b})) << a;
  }
}

TEST(consensus_test, the_winner_is_the_answer_as_the_first_of_its_agents_gave_it) {
  const auto made = reached(voting(2, "/d"), {R"({"d":"No","w":0})", R"({"d":" YES","w":1})", R"({"d":"yes","w":2})"});
  EXPECT_EQ(text(made.winner), R"({"d":" YES","w":1})");
  EXPECT_EQ(text(made.agreed), R"({"d":" YES","w":1}:bc)");
  EXPECT_EQ(text(made.dissent), R"({"d":"No","w":0}:a)");
}

TEST(consensus_test, an_answer_without_what_is_voted_on_is_missing) {
  const auto made = reached(voting(2, "/d"), {R"({"d":null})", R"({"e":1})", R"({"d":null})"});
  EXPECT_EQ(made.status, verdict_status::degraded);
  ASSERT_EQ(made.missing.size(), 1U);
  EXPECT_EQ(made.missing[0].agent, agent_name{"b"});
  EXPECT_EQ(made.missing[0].why.code, error_code::output_invalid);
  EXPECT_NE(made.missing[0].why.message.find("/d"), std::string::npos);

  const auto each = reached(voting_each(1), {R"({"list":1})", R"({"list":[1]})", "[]"});
  EXPECT_EQ(each.answered, std::vector{agent_name{"b"}});
  EXPECT_EQ(each.missing.size(), 2U);
}

TEST(consensus_test, elements_win_one_by_one) {
  const auto made =
      reached(voting_each(2), {R"({"list":["x","y"]})", R"({"list":["z","X "]})", R"({"list":["w","y"]})"});
  EXPECT_EQ(made.status, verdict_status::ok);
  EXPECT_EQ(text(made.winner), R"(["x","y"])");  // by first appearance, as first given
  EXPECT_EQ(text(made.agreed), R"("x":ab "y":ac)");
  EXPECT_EQ(text(made.dissent), R"("w":c "z":b)");
  EXPECT_DOUBLE_EQ(made.agreement, 0.5);
}

TEST(consensus_test, dissent_is_told_by_how_many_gave_it) {
  auto policy = voting_each(3);
  const auto made = reached(policy, {R"({"list":["a","z"]})", R"({"list":["z"]})", R"({"list":["b"]})"});
  EXPECT_EQ(text(made.dissent), R"("z":ab "a":a "b":c)");
}

TEST(consensus_test, an_emergency_is_never_harder_to_meet_than_the_quorum) {
  EXPECT_EQ(fewest_of(with_min_answers(voting(2), 3), 3), 2);
  EXPECT_EQ(fewest_of(with_min_answers(voting(2), 1), 3), 1);
  EXPECT_EQ(reached(with_min_answers(voting(2), 3), {"1", "1", {}}).status, verdict_status::degraded);
}

TEST(consensus_test, an_agent_that_repeats_an_element_counts_once) {
  const auto made = reached(voting_each(2), {R"({"list":[1,1,1]})", R"({"list":[2]})"});
  EXPECT_EQ(made.status, verdict_status::ok);
  EXPECT_EQ(text(made.winner), "[]");
  EXPECT_EQ(text(made.dissent), "1:a 2:b");
  EXPECT_EQ(made.agreement, 0);
}

TEST(consensus_test, empty_lists_agree_on_nothing) {
  const auto made = reached(voting_each(2), {R"({"list":[]})", R"({"list":[]})"});
  EXPECT_EQ(made.status, verdict_status::ok);
  EXPECT_EQ(text(made.winner), "[]");
  EXPECT_EQ(made.agreement, 1);
}

TEST(consensus_test, elements_are_the_same_by_what_the_vote_is_by) {
  const auto made = reached(voting_each(2, {"/file", "/line"}),
                            {R"({"list":[{"file":"A.c","line":1,"why":"p"},{"file":"b.c"}]})",
                             R"({"list":[{"file":"a.c","line":1.0,"why":"q"},{"file":"b.c","line":null}]})"});
  EXPECT_EQ(text(made.agreed), R"({"file":"A.c","line":1,"why":"p"}:ab)");
  EXPECT_EQ(made.dissent.size(), 2U);  // a line that is not there is not null
}

TEST(consensus_test, elements_are_not_the_same_for_what_both_lack) {
  const auto made = reached(voting_each(2, {"/file"}), {R"({"list":["x","y"]})", R"({"list":["z","X"]})"});
  EXPECT_EQ(text(made.agreed), R"("x":ab)");
  EXPECT_EQ(text(made.dissent), R"("y":a "z":b)");
}

TEST(consensus_test, collecting_judges_nothing) {
  EXPECT_EQ(text(reached(collecting(), {"[1]"}).winner), "[1]");
  const auto all = reached(collecting(2), {"1", std::nullopt, "{\"v\":3}"});
  EXPECT_EQ(all.status, verdict_status::degraded);
  EXPECT_EQ(text(all.winner), R"({"a":1,"c":{"v":3}})");
  EXPECT_TRUE(all.dissent.empty());
  EXPECT_EQ(reached(collecting(), {"1", "2", "3"}).status, verdict_status::ok);
  EXPECT_EQ(reached(collecting(), {std::nullopt, std::nullopt, "3"}).status, verdict_status::insufficient);
}

TEST(consensus_test, a_degraded_verdict_is_never_hidden) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    std::vector<std::optional<std::string>> values(1 + random() % 6);
    for (auto& value : values) {
      if (random() % 3 != 0) {
        value = R"({"v":)" + std::to_string(random() % 3) + R"(,"list":[)" + std::to_string(random() % 3) + "]}";
      }
    }
    const int quorum = static_cast<int>(1 + random() % values.size());
    const std::vector<consensus_policy> policies{
        collecting(quorum), voting(quorum), voting(quorum, "/v"), voting_each(quorum), voting()};
    for (const auto& policy : policies) {
      const auto made = reached(policy, values);
      const auto missing =
          static_cast<std::size_t>(std::ranges::count_if(values, [](const auto& value) { return !value; }));
      ASSERT_EQ(made.degraded, missing > 0) << seed;
      ASSERT_EQ(made.missing.size(), missing) << seed;
      ASSERT_EQ(made.answered.size() + missing, values.size()) << seed;
      ASSERT_FALSE(made.degraded && made.status == verdict_status::ok) << seed;
      ASSERT_EQ(made.winner.has_value(), made.status == verdict_status::ok || made.status == verdict_status::degraded)
          << seed;
      ASSERT_EQ(made.why.has_value(), !made.winner.has_value()) << seed;
      ASSERT_EQ(made.status == verdict_status::insufficient,
                made.answered.empty() || made.answered.size() < static_cast<std::size_t>(made.quorum))
          << seed;
    }
  }
}

TEST(consensus_test, a_question_to_nobody_is_a_bug) {
  EXPECT_THROW(reach(voting(), {}, {}), bug);
  EXPECT_THROW(reach(aggregating(), std::vector{judge}, {}), bug);
  EXPECT_THROW(reached(aggregating(), {"1", "2"}), bug);  // the aggregator is not among them
}

TEST(consensus_test, the_verdict_prints_as_one_object) {
  EXPECT_EQ(
      to_json(reached(voting(2), {"1", std::nullopt, "1"})).str(),
      R"({"aggregator":null,"agreed":[{"agents":["a","c"],"value":1}],"agreement":1,"answered":["a","c"],)"
      R"("asked":["a","b","c"],"degraded":true,"dissent":[],"emergency":false,"error":null,"missing":[{"agent":"b","code":"TASK_TIMEOUT",)"
      R"("message":"too late"}],"quorum":2,"status":"degraded","winner":1})");
  const auto tie = parse(to_json(reached(voting(2), {"1", "2"}))).as_object();
  EXPECT_EQ(canonical(tie.at("error")).str(),
            R"({"code":"CONSENSUS_CONFLICT","hint":"see their answers: troupe output RUN STEP",)"
            R"("message":"the agents do not agree: a against b"})");
  EXPECT_TRUE(tie.at("winner").is_null());
}

}  // namespace
}  // namespace troupe
