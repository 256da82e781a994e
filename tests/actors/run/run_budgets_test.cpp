// Costs and budgets of whole runs: one thread, virtual time, over a real database.
#include "storage/read_session.hpp"
#include "tests/support/house.hpp"

#include <caf/send.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

using ::testing::HasSubstr;

// Prompts of agents are about nothing, so that an attempt is expected to use up what it is expected to answer.
constexpr const char* one_agent = R"(
name = "one"
[[step]]
id = "ask"
agent = "a"
prompt = "hi"
)";

constexpr const char* one_timed_agent = R"(
name = "timed"
[[step]]
id = "ask"
agent = "a"
timeout = "10m"
)";

constexpr const char* three_agents = R"(
[[step]]
id = "ask"
agents = ["a", "b", "c"]
prompt = "hi"
[step.consensus]
strategy = "collect"
min_answers = 1
)";

class run_budgets_test : public testing::Test {
 protected:
  run_budgets_test() {
    house_.model = "m";
    house_.prices = {{"m", {{1'000'000}, {1'000'000}}}};
    house_.functions["spend"] = [this](const function_request&) -> result<function_reply> {
      ++spent_;
      function_reply reply;
      reply.value = json_text{"1"};
      reply.usage = token_usage{"m", 6'000, 4'000};  // 0.01 USD
      return reply;
    };
    house_.functions["squander"] = [](const function_request&) -> result<function_reply> {
      function_reply reply;
      reply.value = json_text{"1"};
      reply.usage = token_usage{"m", 600'000, 400'000};  // 1 USD
      return reply;
    };
  }

  // `count` steps, each of which spends 0.01 USD and 10,000 tokens.
  static std::string spenders(int count, const std::string& limits) {
    std::string toml = "name = \"spend\"\n[limits]\n" + limits + "\n";
    for (int i = 1; i <= count; ++i) {
      toml += "[[step]]\nid = \"s" + std::to_string(i) + "\"\nfunction = \"spend\"\n";
      toml += i < count ? "next = \"s" + std::to_string(i + 1) + "\"\n" : "";
    }
    return toml;
  }

  void begin(const std::string& toml, const std::string& id = "r-1") {
    const auto reply = house_.submit(toml, id);
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    house_.listen(id);
  }

  std::int64_t count(const std::string& kind) {
    const auto all = house_.kinds();
    return std::ranges::count(all, kind);
  }

  void expect_end(run_state state, const std::string& id = "r-1") {
    const auto run = house_.view(id);
    EXPECT_EQ(run.state, state) << (run.why ? run.why->message : "");
    EXPECT_THAT(house_.seqs_are_gapless(), testing::IsEmpty());
  }

  void expect_over_budget(const std::string& id = "r-1") {
    expect_end(run_state::failed, id);
    ASSERT_TRUE(house_.view(id).why);
    EXPECT_EQ(house_.view(id).why->code, error_code::budget_exceeded) << house_.view(id).why->message;
  }

  std::vector<cost_sum> costs() {
    return *(*read_session::open(house_.database.options()))->list_costs({}, cost_grouping::attempt);
  }

  house house_;
  int spent_ = 0;
};

TEST_F(run_budgets_test, a_budget_that_is_used_up_to_the_last_cent_is_enough) {
  house_.start();
  begin(spenders(5, "budget_usd = 0.05"));
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().cost_microusd, 50'000);
  EXPECT_EQ(count("budget.warned"), 3);
  EXPECT_EQ(count("cost.recorded"), 5);
}

TEST_F(run_budgets_test, what_would_pass_it_never_starts_and_what_is_done_is_kept) {
  house_.start();
  begin(spenders(6, "budget_usd = 0.05"));
  expect_over_budget();
  EXPECT_EQ(spent_, 5);
  EXPECT_EQ(house_.view().cost_microusd, 50'000);
  EXPECT_EQ(house_.view().supersteps, 5);
  EXPECT_EQ(house_.tasks().back().state, task_state::cancelled);
  EXPECT_EQ(house_.tasks().back().attempt, attempt_no{0});
  EXPECT_THAT(house_.view().why->message, HasSubstr("0.050000 USD"));
}

TEST_F(run_budgets_test, the_last_step_of_a_run_may_not_pass_it_either) {
  house_.start();
  begin(spenders(5, "budget_usd = 0.045"));
  expect_over_budget();
  EXPECT_EQ(spent_, 5);
  EXPECT_EQ(house_.tasks().back().state, task_state::completed) << "it is done, and kept";
}

TEST_F(run_budgets_test, without_a_budget_nothing_is_reserved) {
  house_.start();
  begin(spenders(2, ""));
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().cost_microusd, 20'000);
  EXPECT_EQ(count("budget.warned"), 0);
}

// Beside an agent that runs, a function passes the budget: the agent is stopped, and the run waits until it is gone.
TEST_F(run_budgets_test, attempts_under_way_are_stopped_since_they_cost) {
  house_.start();
  begin(R"(
name = "beside"
[limits]
budget_usd = 0.1
[[step]]
id = "begin"
function = "spend"
next = ["ask", "s1"]
[[step]]
id = "ask"
agent = "a"
prompt = "hi"
[[step]]
id = "s1"
function = "squander"
)");
  ASSERT_EQ(house_.processes->count(), 1U);
  house_.settle();
  EXPECT_TRUE(house_.processes->at(0).terminated);
  EXPECT_EQ(house_.view().state, run_state::running);
  house_.processes->exit(0, "an answer that comes too late");
  house_.settle();
  expect_over_budget();
}

TEST_F(run_budgets_test, survives_the_death_of_its_run_without_counting_twice) {
  house_.start();
  begin("name = \"three\"\n[limits]\nbudget_usd = 1\n" + std::string{three_agents});
  ASSERT_EQ(house_.processes->count(), 3U);
  house_.processes->exit(0);
  house_.settle();
  house_.kill(house_.run_actors.back());
  house_.advance(milliseconds{100});
  for (std::size_t i = 1; i < house_.processes->count(); ++i) {
    if (!house_.processes->at(i).ended) {
      house_.processes->exit(i);
    }
  }
  house_.settle();
  expect_end(run_state::completed);
  const auto all = costs();
  EXPECT_EQ(all.size(), 3U) << "what was interrupted counts against the budget, and is no cost";
}

TEST_F(run_budgets_test, an_agent_that_says_nothing_costs_what_was_expected) {
  house_.start();
  begin(one_agent);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::completed);
  ASSERT_EQ(costs().size(), 1U);
  EXPECT_EQ(costs()[0].estimated, 1);
  EXPECT_GT(house_.view().cost_microusd, 0);
}

TEST_F(run_budgets_test, a_model_without_a_price_is_counted) {
  house_.prices.clear();
  house_.start();
  begin(one_agent);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().unpriced, 1);
  EXPECT_EQ(house_.view().cost_microusd, 0);
}

TEST_F(run_budgets_test, a_failed_attempt_without_an_answer_costs_nothing) {
  house_.start();
  begin(one_agent);
  house_.processes->exit(0, "", 1);
  house_.settle();
  expect_end(run_state::failed);
  ASSERT_EQ(costs().size(), 1U);
  EXPECT_EQ(costs()[0].unmetered, 1) << "it took its time, and no more";
  EXPECT_EQ(costs()[0].microusd, 0);
}

TEST_F(run_budgets_test, what_was_cancelled_may_have_been_billed) {
  house_.ceilings.day.microusd = 1'000'000;
  house_.start();
  const auto reply = house_.submit(one_agent);
  ASSERT_TRUE(reply.has_value());
  caf::anon_send(house_.runs.get(), cancel_run{run_id{"r-1"}, true});
  house_.settle();
  expect_end(run_state::cancelled);
  ASSERT_EQ(costs().size(), 1U);
  EXPECT_EQ(costs()[0].estimated, 1);
}

TEST_F(run_budgets_test, the_subject_may_not_use_more_in_two_runs_at_once) {
  house_.ceilings.subject.microusd = 25'000;
  house_.start();
  begin(spenders(2, ""), "r-1");
  expect_end(run_state::completed, "r-1");
  begin(spenders(2, ""), "r-2");  // the subject is that of both: the workflow's name
  expect_over_budget("r-2");
  EXPECT_EQ(spent_, 3);
  EXPECT_THAT(house_.view("r-2").why->message, HasSubstr("subject"));
}

TEST_F(run_budgets_test, many_runs_at_once_cannot_pass_the_day_together) {
  constexpr std::int64_t expected = 1'000;  // of one attempt: the prompt is short, and an answer has 1,000 tokens
  house_.ceilings.day.microusd = expected * 5;
  house_.start();
  constexpr int runs = 20;
  for (int i = 1; i <= runs; ++i) {
    ASSERT_TRUE(house_.submit(one_agent, "r-" + std::to_string(i)).has_value());
  }
  EXPECT_EQ(house_.processes->count(), 5U) << "each reserves what it is expected to use up";
  for (std::size_t i = 0; i < house_.processes->count(); ++i) {
    house_.processes->exit(i);
  }
  house_.settle();
  int completed = 0;
  int refused = 0;
  for (int i = 1; i <= runs; ++i) {
    const auto run = house_.view("r-" + std::to_string(i));
    completed += run.state == run_state::completed ? 1 : 0;
    refused += run.state == run_state::failed && run.why->code == error_code::budget_exceeded ? 1 : 0;
  }
  EXPECT_EQ(completed, 5);
  EXPECT_EQ(refused, runs - 5);
}

// Three agents, one after the other, each of which may take ten minutes.
constexpr const char* three_in_turn = R"(
name = "time"
[limits]
budget_time = "25m"
[[step]]
id = "s1"
agent = "a"
timeout = "10m"
next = "s2"
[[step]]
id = "s2"
agent = "a"
timeout = "10m"
next = "s3"
[[step]]
id = "s3"
agent = "a"
timeout = "10m"
)";

TEST_F(run_budgets_test, an_attempt_that_may_take_longer_than_is_left_never_starts) {
  house_.start();
  begin(three_in_turn);
  house_.advance(7min);
  house_.processes->exit(0);
  house_.settle();
  house_.advance(9min);
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.processes->count(), 2U);
  expect_over_budget();
  EXPECT_EQ(house_.view().attempt_time, 16min);
  EXPECT_EQ(house_.view().supersteps, 2) << "what is done is kept";
  EXPECT_THAT(
      house_.view().why->message,
      HasSubstr("may use up 25m of attempts and has used 16m of attempts; the next attempt is expected to use 10m"));
  EXPECT_EQ(count("budget.warned"), 0);
}

TEST_F(run_budgets_test, time_that_is_enough_is_enough_and_warned_of) {
  house_.start();
  begin(three_in_turn);
  for (const auto length : {7min, 8min, 10min - 1min}) {
    house_.advance(length);
    house_.processes->exit(house_.processes->count() - 1);
    house_.settle();
  }
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().attempt_time, 24min);
  EXPECT_EQ(count("budget.warned"), 2) << "at 80 and at 90 of 100 percent";
}

// The first process dies with the attempt; the second one counts what may have been used, once.
TEST_F(run_budgets_test, time_that_a_crash_took_counts_once) {
  house_.start();
  begin(three_in_turn);
  house_.advance(4min);
  house_.crash();
  house_.clock->advance(milliseconds{24h});
  house_.start();
  ASSERT_TRUE(house_.submit(three_in_turn).has_value());
  ASSERT_EQ(house_.processes->count(), 2U);
  house_.advance(6min);
  house_.processes->exit(1);
  house_.settle();
  EXPECT_EQ(house_.processes->count(), 2U) << "10 minutes that were reserved, and 6, are more than 15";
  expect_over_budget();
  EXPECT_EQ(house_.view().attempt_time, 6min) << "of the other nobody knows";
}

TEST_F(run_budgets_test, beside_each_other_attempts_take_the_sum_of_their_times) {
  house_.start();
  begin("name = 'three'\n[limits]\nbudget_time = '25m'\n" + std::string{three_agents});
  house_.advance(5min);
  for (std::size_t i = 0; i < 3; ++i) {
    house_.processes->exit(i);
  }
  house_.settle();
  expect_end(run_state::completed);
  EXPECT_EQ(house_.view().attempt_time, 15min);
}

TEST_F(run_budgets_test, a_subject_has_its_time_over_all_runs) {
  house_.ceilings.subject.time = 15min;
  house_.start();
  begin(one_timed_agent, "r-1");
  house_.advance(8min);
  house_.processes->exit(0);
  house_.settle();
  expect_end(run_state::completed, "r-1");
  begin(one_timed_agent, "r-2");
  expect_over_budget("r-2");
  EXPECT_THAT(house_.view("r-2").why->hint, HasSubstr("budget.subject_time"));
}

TEST_F(run_budgets_test, runs_at_once_cannot_pass_the_time_of_a_day_together) {
  house_.ceilings.day.time = 25min;
  house_.start();
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(house_.submit(one_timed_agent, "r-" + std::to_string(i)).has_value());
  }
  EXPECT_EQ(house_.processes->count(), 2U) << "each reserves the ten minutes that it may take";
  expect_over_budget("r-3");
  EXPECT_THAT(house_.view("r-4").why->hint, HasSubstr("budget.day_time"));
}

}  // namespace
}  // namespace troupe
