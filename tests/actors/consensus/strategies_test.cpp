// CX-1: the whole table of three agents that give one answer, another, or none, for each strategy; what a race, an
// aggregator and an emergency come to; and what holds of any answers.
#include "actors/json/json.hpp"
#include "tests/actors/consensus/questions.hpp"

#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

using values = std::vector<std::optional<std::string>>;

const std::string yes = R"({"d":"yes"})";
const std::string no = R"({"d":"no"})";

// How three agents may answer: `yn-` is yes, no, nothing.
values spelled(const std::string& letters) {
  values given;
  for (const char letter : letters) {
    given.push_back(letter == '-' ? std::nullopt : std::optional{letter == 'y' ? yes : no});
  }
  return given;
}

std::vector<std::string> table_of(std::size_t count) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string> longer;
    for (const auto& one : all) {
      for (const char letter : {'y', 'n', '-'}) {
        longer.push_back(one + letter);
      }
    }
    all = std::move(longer);
  }
  return all;
}

// `degraded {"d":"yes"} ac/b y:ac n:` : status, winner, who answered and who did not, who agrees, who dissents.
std::string told(const verdict& made) {
  const auto letters = [](const auto& list, auto name) {
    std::string out;
    for (const auto& one : list) {
      out += name(one).str().substr(0, 1);
    }
    return out;
  };
  const auto agent = [](const agent_name& one) { return one; };
  const auto gone = [](const missing_agent& one) { return one.agent; };
  std::string out{to_string(made.status)};
  out += (made.degraded ? "+" : "") + std::string{made.emergency ? "!" : ""} + ' ';
  out += made.winner ? (made.winner->str() == yes ? "y" : made.winner->str() == no ? "n" : made.winner->str()) : "none";
  out += ' ' + letters(made.answered, agent) + '/' + letters(made.missing, gone) + ' ';
  for (const auto& group : made.agreed) {
    out += letters(group.agents, agent);
  }
  out += '/';
  for (const auto& group : made.dissent) {
    out += letters(group.agents, agent) + ',';
  }
  return out;
}

std::map<std::string, std::string> told_of(const consensus_policy& policy, const std::vector<std::string>& table) {
  std::map<std::string, std::string> all;
  for (const auto& row : table) {
    all[row] = told(reached(policy, spelled(row)));
  }
  return all;
}

TEST(strategies_test, the_whole_table_of_a_vote) {
  const std::map<std::string, std::string> expected{
      {"yyy", "ok y abc/ abc/"},
      {"yyn", "ok y abc/ ab/c,"},
      {"yy-", "degraded+ y ab/c ab/"},
      {"yny", "ok y abc/ ac/b,"},
      {"ynn", "ok n abc/ bc/a,"},
      {"yn-", "conflict+ none ab/c /b,a,"},
      {"y-y", "degraded+ y ac/b ac/"},
      {"y-n", "conflict+ none ac/b /c,a,"},
      {"y--", "insufficient+ none a/bc /"},
      {"nyy", "ok y abc/ bc/a,"},
      {"nyn", "ok n abc/ ac/b,"},
      {"ny-", "conflict+ none ab/c /a,b,"},
      {"nny", "ok n abc/ ab/c,"},
      {"nnn", "ok n abc/ abc/"},
      {"nn-", "degraded+ n ab/c ab/"},
      {"n-y", "conflict+ none ac/b /a,c,"},
      {"n-n", "degraded+ n ac/b ac/"},
      {"n--", "insufficient+ none a/bc /"},
      {"-yy", "degraded+ y bc/a bc/"},
      {"-yn", "conflict+ none bc/a /c,b,"},
      {"-y-", "insufficient+ none b/ac /"},
      {"-ny", "conflict+ none bc/a /b,c,"},
      {"-nn", "degraded+ n bc/a bc/"},
      {"-n-", "insufficient+ none b/ac /"},
      {"--y", "insufficient+ none c/ab /"},
      {"--n", "insufficient+ none c/ab /"},
      {"---", "insufficient+ none /abc /"},
  };
  EXPECT_EQ(told_of(voting(), table_of(3)), expected);
}

// Of a table that says less, the rule is the shorter text.
TEST(strategies_test, the_whole_table_of_collecting) {
  for (const auto& row : table_of(3)) {
    const auto made = reached(collecting(), spelled(row));
    boost::json::object all;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != '-') {
        all[agents(3)[i].str()] = parse(json_text{row[i] == 'y' ? yes : no});
      }
    }
    const auto status = all.size() == 3   ? verdict_status::ok
                        : all.size() == 2 ? verdict_status::degraded
                                          : verdict_status::insufficient;
    EXPECT_EQ(made.status, status) << row;
    EXPECT_EQ(text(made.winner), all.size() < 2 ? "none" : canonical(all).str()) << row;
    EXPECT_EQ(made.missing.size(), 3 - all.size()) << row;
    EXPECT_EQ(made.degraded, all.size() < 3) << row;
  }
}

TEST(strategies_test, the_whole_table_of_a_race) {
  const std::map<std::string, std::string> expected{
      {"yyy", "ok y abc/ abc/"},  {"yyn", "ok y abc/ ab/c,"}, {"yy-", "ok y ab/c ab/"},
      {"yny", "ok y abc/ ac/b,"}, {"ynn", "ok y abc/ a/bc,"}, {"yn-", "ok y ab/c a/b,"},
      {"y-y", "ok y ac/b ac/"},   {"y-n", "ok y ac/b a/c,"},  {"y--", "ok y a/bc a/"},
      {"nyy", "ok n abc/ a/bc,"}, {"nyn", "ok n abc/ ac/b,"}, {"ny-", "ok n ab/c a/b,"},
      {"nny", "ok n abc/ ab/c,"}, {"nnn", "ok n abc/ abc/"},  {"nn-", "ok n ab/c ab/"},
      {"n-y", "ok n ac/b a/c,"},  {"n-n", "ok n ac/b ac/"},   {"n--", "ok n a/bc a/"},
      {"-yy", "ok y bc/a bc/"},   {"-yn", "ok y bc/a b/c,"},  {"-y-", "ok y b/ac b/"},
      {"-ny", "ok n bc/a b/c,"},  {"-nn", "ok n bc/a bc/"},   {"-n-", "ok n b/ac b/"},
      {"--y", "ok y c/ab c/"},    {"--n", "ok n c/ab c/"},    {"---", "insufficient+ none /abc /"},
  };
  EXPECT_EQ(told_of(racing(), table_of(3)), expected);
}

TEST(strategies_test, the_whole_table_of_an_aggregate) {
  for (const auto& row : table_of(3)) {
    const auto members = spelled(row);
    const auto collected = reached(collecting(), members);
    const auto with = aggregated(aggregating(), members, R"({"agreements":[],"conflicts":[]})");
    const auto without = aggregated(aggregating(), members, std::nullopt);
    EXPECT_EQ(with.quorum, 2) << row;
    if (!collected.winner) {  // The aggregator was not asked, whatever came of it.
      EXPECT_EQ(told(with), told(collected)) << row;
      EXPECT_EQ(told(without), told(collected)) << row;
      EXPECT_EQ(with.asked, agents(3)) << row;
      continue;
    }
    EXPECT_EQ(with.status, collected.status) << row;
    EXPECT_EQ(with.degraded, collected.degraded) << row;
    EXPECT_EQ(text(with.winner), R"({"agreements":[],"conflicts":[]})") << row;
    EXPECT_EQ(with.asked.back(), judge) << row;
    EXPECT_EQ(with.answered.back(), judge) << row;
    EXPECT_EQ(with.aggregator, judge) << row;
    EXPECT_EQ(with.missing.size(), collected.missing.size()) << row;

    EXPECT_EQ(without.status, verdict_status::degraded) << row;
    EXPECT_TRUE(without.degraded) << row;
    EXPECT_EQ(without.winner, collected.winner) << row;
    EXPECT_EQ(without.answered, collected.answered) << row;
    ASSERT_EQ(without.missing.size(), collected.missing.size() + 1) << row;
    EXPECT_EQ(without.missing.back().agent, judge) << row;
    EXPECT_EQ(without.missing.back().why, late()) << row;
  }
}

TEST(strategies_test, the_order_of_the_answers_decides_a_race_and_nothing_else) {
  const auto asked = agents(3);
  for (const auto& row : table_of(3)) {
    const auto given = answers(spelled(row));
    for (const auto& policy : {collecting(), voting(), voting(2, "/d"), with_min_answers(voting(), 1)}) {
      auto shuffled = given;
      do {
        ASSERT_EQ(to_json(reach(policy, asked, shuffled)), to_json(reach(policy, asked, given))) << row;
      } while (std::ranges::next_permutation(shuffled, {}, &agent_answer::agent).found);
    }
    auto shuffled = given;
    do {
      const auto made = reach(racing(), asked, shuffled);
      const auto first = std::ranges::find_if(shuffled, [](const agent_answer& one) { return one.value.has_value(); });
      ASSERT_EQ(made.winner, first == shuffled.end() ? std::nullopt : first->value) << row;
      ASSERT_EQ(made.asked, asked) << row;
      if (first != shuffled.end()) {
        ASSERT_EQ(made.answered.front(), first->agent) << row;
        ASSERT_EQ(made.agreed.front().agents.front(), first->agent) << row;
      }
    } while (std::ranges::next_permutation(shuffled, {}, &agent_answer::agent).found);
  }
}

TEST(strategies_test, a_race_says_who_was_not_waited_for_and_who_failed) {
  const std::vector<agent_answer> given{
      {agent_name{"b"}, json_text{yes}, {}}, {agent_name{"a"}, std::nullopt, late()}, {agent_name{"c"}, {}, {}}};
  const auto made = reach(racing(), agents(4), given);
  EXPECT_EQ(made.status, verdict_status::ok);
  EXPECT_FALSE(made.degraded);
  EXPECT_EQ(made.quorum, 1);
  EXPECT_EQ(made.agreement, 1);
  ASSERT_EQ(made.missing.size(), 3U);
  EXPECT_EQ(made.missing[0].why, late());
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(made.missing[i].why.code, error_code::cancelled);
    EXPECT_EQ(made.missing[i].why.message, "another agent answered first");
  }
}

TEST(strategies_test, a_race_that_nobody_ends_tells_all_reasons) {
  const auto made = reached(racing(), {std::nullopt, std::nullopt});
  EXPECT_EQ(made.status, verdict_status::insufficient);
  EXPECT_TRUE(made.degraded);
  EXPECT_EQ(made.why->code, error_code::quorum_not_met);
  EXPECT_EQ(made.why->message,
            "0 of 2 agents answered, 1 is needed; missing: a (TASK_TIMEOUT: too late) b (TASK_TIMEOUT: too late)");
}

TEST(strategies_test, a_late_answer_that_says_the_same_is_no_dissent) {
  const auto made = reached(racing(), {R"("Yes")", R"(" yes ")", R"("no")"});
  EXPECT_EQ(text(made.winner), R"("Yes")");
  EXPECT_EQ(text(made.agreed), R"("Yes":ab)");
  EXPECT_EQ(text(made.dissent), R"("no":c)");
  EXPECT_DOUBLE_EQ(made.agreement, 2.0 / 3);
}

TEST(strategies_test, an_aggregate_without_a_required_part_is_missing) {
  auto policy = aggregating();
  policy.required = {"/agreements", "/conflicts"};
  const auto made = aggregated(policy, {"1", "2"}, R"({"agreements":[]})");
  EXPECT_EQ(made.status, verdict_status::degraded);
  EXPECT_EQ(text(made.winner), R"({"a":1,"b":2})");
  ASSERT_EQ(made.missing.size(), 1U);
  EXPECT_EQ(made.missing[0].agent, judge);
  EXPECT_EQ(made.missing[0].why.code, error_code::output_invalid);
  EXPECT_NE(made.missing[0].why.message.find("/conflicts"), std::string::npos);
}

TEST(strategies_test, an_aggregator_is_not_of_the_quorum) {
  const auto one = aggregated(aggregating(2), {"1", std::nullopt, std::nullopt}, "{}");
  EXPECT_EQ(one.status, verdict_status::insufficient);
  EXPECT_EQ(one.aggregator, std::nullopt);
  EXPECT_EQ(one.why->message,
            "1 of 3 agents answered, 2 are needed; missing: b (TASK_TIMEOUT: too late) c (TASK_TIMEOUT: too late)");
}

TEST(strategies_test, an_emergency_is_a_result_below_the_quorum_and_labelled) {
  for (const auto& row : table_of(3)) {
    const auto count = 3 - std::ranges::count(row, '-');
    for (const auto& policy : {collecting(), voting()}) {
      const auto plain = reached(policy, spelled(row));
      const auto made = reached(with_min_answers(policy, 1), spelled(row));
      if (count == 1) {
        EXPECT_EQ(made.status, verdict_status::degraded) << row;
        EXPECT_TRUE(made.emergency) << row;
        EXPECT_TRUE(made.degraded) << row;
        EXPECT_EQ(made.missing.size(), 2U) << row;
        EXPECT_EQ(made.quorum, 2) << row;
      } else {
        EXPECT_EQ(told(made), told(plain)) << row;
        EXPECT_FALSE(made.emergency) << row;
      }
    }
  }
  const auto none = reached(with_min_answers(voting(), 1), spelled("---"));
  EXPECT_EQ(none.why->message.substr(0, 60), "0 of 3 agents answered, 2 are needed (1 in an emergency); mi");
}

TEST(strategies_test, an_emergency_is_judged_among_those_who_are_there) {
  const auto tie = reached(with_min_answers(voting(3), 2), spelled("yn-"));
  EXPECT_EQ(tie.status, verdict_status::conflict);
  EXPECT_FALSE(tie.emergency);  // it is no result
  EXPECT_TRUE(tie.degraded);

  const auto both = reached(with_min_answers(voting_each(3), 2), {R"({"list":[1,2]})", R"({"list":[2,3]})", {}});
  EXPECT_EQ(text(both.winner), "[2]");
  EXPECT_TRUE(both.emergency);

  const auto merged = aggregated(with_min_answers(aggregating(), 1), {"1", {}, {}}, "{}");
  EXPECT_EQ(merged.status, verdict_status::degraded);
  EXPECT_EQ(text(merged.winner), "{}");
  EXPECT_TRUE(merged.emergency);
}

TEST(strategies_test, four_of_four_and_two_against_two) {
  EXPECT_EQ(told(reached(voting(), spelled("yyyy"))), "ok y abcd/ abcd/");
  EXPECT_EQ(told(reached(voting(), spelled("yynn"))), "conflict none abcd/ /cd,ab,");
  EXPECT_EQ(told(reached(voting(2), spelled("ynyn"))), "conflict none abcd/ /bd,ac,");
  EXPECT_EQ(told(reached(racing(), spelled("ynyn"))), "ok y abcd/ ac/bd,");
  for (const auto& row : table_of(4)) {
    const auto said_yes = std::ranges::count(row, 'y');
    const auto said_no = std::ranges::count(row, 'n');
    const auto made = reached(voting(), spelled(row));
    const bool met = said_yes + said_no >= 3;
    EXPECT_EQ(made.status == verdict_status::insufficient, !met) << row;
    EXPECT_EQ(made.status == verdict_status::conflict, met && said_yes == said_no) << row;
    if (made.winner) {
      EXPECT_EQ(made.winner->str(), said_yes > said_no ? yes : no) << row;
    }
  }
}

// Everybody who was asked is in exactly one of the two lists, and a result that lacks somebody who was waited for says
// so, whatever the strategy.
TEST(strategies_test, nobody_is_ever_hidden) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    values given(1 + random() % 5);
    for (auto& value : given) {
      if (random() % 3 != 0) {
        value = R"({"d":)" + std::to_string(random() % 3) + "}";
      }
    }
    auto policy = std::vector{collecting(), voting(), racing(), aggregating()}.at(random() % 4);
    policy.min_answers = random() % 2 == 0 ? std::optional{1} : std::nullopt;
    const bool merges = policy.strategy == consensus_strategy::aggregate;
    const auto merged = random() % 2 == 0 ? std::optional<std::string>{"{}"} : std::nullopt;
    const auto made = merges ? aggregated(policy, given, merged) : reached(policy, given);
    std::vector<agent_name> named = made.answered;
    std::ranges::transform(made.missing, std::back_inserter(named), &missing_agent::agent);
    auto asked = made.asked;
    std::ranges::sort(named);
    std::ranges::sort(asked);
    ASSERT_EQ(named, asked);
    ASSERT_EQ(made.asked.size(), given.size() + (made.aggregator ? 1U : 0U));
    const bool won = policy.strategy == consensus_strategy::race && made.winner;
    ASSERT_EQ(made.degraded, !won && !made.missing.empty());
    ASSERT_EQ(made.winner.has_value(), made.status == verdict_status::ok || made.status == verdict_status::degraded);
    ASSERT_EQ(made.status == verdict_status::degraded, made.winner && made.degraded);
    ASSERT_EQ(made.why.has_value(), !made.winner.has_value());
    const auto members = std::ranges::count_if(given, [](const auto& value) { return value.has_value(); });
    ASSERT_EQ(made.emergency, made.winner && members < made.quorum);
    if (made.emergency) {
      ASSERT_TRUE(made.degraded);
    }
  }
}

}  // namespace
}  // namespace troupe
