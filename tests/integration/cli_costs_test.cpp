// Costs and budgets from the command line: the real program, a configuration with prices, probe.usage as the agents.
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <string>

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* prices = R"(
[prices."gpt-4o"]
input = 2.50
output = 10
[prices."gpt-4o-mini"]
input = 0.15
output = 0.60
[prices."claude-3.5-sonnet"]
input = 3
output = 15
[prices."claude-3-haiku"]
input = 0.25
output = 1.25
[prices."gemini-1.5-pro"]
input = 1.25
output = 5
[prices."gemini-1.5-flash"]
input = 0.075
output = 0.30
)";

struct call {
  const char* model;
  int input;
  int output;
};

// Requirement CO-1: 0.0835 USD, 38,000 tokens in, 18,500 out.
constexpr std::array<call, 12> calls{{{"gpt-4o", 1000, 500},
                                      {"gpt-4o", 2000, 1000},
                                      {"gpt-4o-mini", 1000, 500},
                                      {"gpt-4o-mini", 5000, 2000},
                                      {"claude-3.5-sonnet", 1000, 500},
                                      {"claude-3.5-sonnet", 2000, 1000},
                                      {"claude-3-haiku", 1000, 500},
                                      {"claude-3-haiku", 10000, 5000},
                                      {"gemini-1.5-pro", 1000, 500},
                                      {"gemini-1.5-pro", 3000, 1500},
                                      {"gemini-1.5-flash", 1000, 500},
                                      {"gemini-1.5-flash", 10000, 5000}}};

class cli_costs_test : public cli_fixture {
 protected:
  // The calls `times` over, one step each; `between` is called before each round but the first.
  std::string chain(int times, const std::string& head = "", const std::string& between = "") const {
    std::string toml = "name = 'costs'\n" + head;
    int last = static_cast<int>(calls.size()) * times;
    int number = 0;
    for (int round = 0; round < times; ++round) {
      for (const auto& each : calls) {
        ++number;
        toml += "[[step]]\nid = 's" + std::to_string(number) + "'\nfunction = 'probe.usage'\nargs = { model = '" +
                each.model + "', input_tokens = " + std::to_string(each.input) +
                ", output_tokens = " + std::to_string(each.output) + " }\n";
        if (number < last) {
          const bool waits = !between.empty() && number == last / 2;
          toml += "next = '" + (waits ? std::string{"wait"} : "s" + std::to_string(number + 1)) + "'\n";
          toml += waits ? between + "next = 's" + std::to_string(number + 1) + "'\n" : "";
        }
      }
    }
    return write("costs.toml", toml);
  }

  // What was killed with its owner takes nothing from the latch any more.
  void expect_gone(const std::string& step) const {
    const auto tasks = tasks_of("r1");
    const auto at = std::ranges::find(tasks, step_id{step}, &task_view::step);
    ASSERT_NE(at, tasks.end());
    ASSERT_TRUE(is_gone(static_cast<pid_t>(at->pid)));
  }

  // The calls ten times over; in the middle a step that waits, where the process is killed.
  void chain_and_kill(const latch& held) const {
    write("troupe.toml", prices + std::string{"[agents.a]\n"} + held.command());
    chain(10, "", "[[step]]\nid = 'wait'\nagent = 'a'\nprompt = 'go'\n");
    auto running = start({"run", "costs.toml", "--run-id", "r1"});
    ASSERT_TRUE(running.wait_for("wait/a"));
    running.signal(SIGKILL);
    running.wait();
    expect_gone("wait");
  }

  void expect_vector(const std::string& run_of_it) const {
    const auto json = json_of(run({"show", run_of_it, "--json"}).out);
    EXPECT_EQ(at(json, "/state"), "completed");
    EXPECT_EQ(at(json, "/usage/input_tokens"), "380000");
    EXPECT_EQ(at(json, "/usage/output_tokens"), "185000");
    EXPECT_EQ(at(json, "/usage/cost_usd"), "8.35E-1");
    EXPECT_EQ(run_of(run_of_it).cost_microusd, 835'000);
    EXPECT_EQ(run_of(run_of_it).unpriced, 0);
  }
};

TEST_F(cli_costs_test, twelve_calls_ten_times_come_to_the_micro_dollar) {
  write("troupe.toml", prices);
  const auto ended = run({"run", chain(10), "--run-id", "r1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  expect_vector("r1");
  EXPECT_EQ(run({"costs", "r1", "-q"}).out, "0.835 USD\n");
  const auto by_model = run({"costs", "r1", "--by", "model"});
  EXPECT_THAT(
      by_model.out,
      AllOf(HasSubstr("claude-3.5-sonnet"), HasSubstr("0.315 USD"), HasSubstr("total"), HasSubstr("0.835 USD")));
  const auto json = json_of(run({"costs", "--by", "model", "--json"}).out);
  EXPECT_EQ(at(json, "/total/input_tokens"), "380000");
  EXPECT_EQ(at(json, "/total/attempts"), "120");
  EXPECT_EQ(at(json, "/costs/0/key"), "claude-3.5-sonnet");
  EXPECT_EQ(at(json, "/costs/0/attempts"), "20");
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("0.835 USD"));
}

// Beside five of the calls a step runs that kills the process, each at another point: the call is under way, or done, or
// being written.
TEST_F(cli_costs_test, a_run_that_dies_among_its_calls_costs_the_same) {
  write("troupe.toml", prices);
  constexpr std::array<const char*, 5> points{
      "before_execute", "after_execute", "in_transaction", "after_commit", "in_publish"};
  chain(10);
  auto toml = file_text(path("costs.toml"));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto call = "s" + std::to_string(20 * (i + 1));
    const auto crash = "c" + std::to_string(i);
    const auto way = "next = '" + call + "'\n";
    const auto found = toml.find(way);
    ASSERT_NE(found, std::string::npos) << call;
    toml.replace(found, way.size(), "next = ['" + crash + "', '" + call + "']\n");
    toml += "[[step]]\nid = '" + crash + "'\nfunction = 'probe.crash'\nargs = { point = '" + points.at(i) + "' }\n";
  }
  auto last = run({"run", write("deadly.toml", toml), "--run-id", "r1"});
  std::int64_t before = 0;
  for (const auto* point : points) {
    ASSERT_EQ(last.code, 128 + SIGKILL) << point << ": " << last.err;
    const auto run_then = run_of("r1");
    EXPECT_GT(run_then.cost_microusd, before) << point;
    EXPECT_LT(run_then.cost_microusd, 835'000) << point;
    before = run_then.cost_microusd;
    last = run({"resume", "r1"});
  }
  ASSERT_EQ(last.code, 0) << last.err;
  expect_vector("r1");
  const auto costs = json_of(run({"costs", "r1", "--by", "model", "--json"}).out);
  EXPECT_EQ(at(costs, "/total/attempts"), "125");
  EXPECT_EQ(at(costs, "/total/unmetered"), "5") << "those that died in the place of a call, when they ran again";
}

TEST_F(cli_costs_test, a_run_keeps_the_prices_that_it_began_with) {
  const latch held{path("gate")};
  chain_and_kill(held);
  held.let_go();
  write("troupe.toml", "[agents.a]\n" + held.command());
  ASSERT_EQ(run({"resume", "r1"}).code, 0);
  expect_vector("r1");
}

TEST_F(cli_costs_test, a_part_that_is_unknown_is_never_left_out_of_the_amount) {
  write("troupe.toml", prices);
  const auto use = [](const std::string& id, const std::string& model) {
    return "[[step]]\nid = '" + id + "'\nfunction = 'probe.usage'\nargs = { model = '" + model +
           "', input_tokens = 1000, output_tokens = 500 }\n";
  };
  write("two.toml", "name = 'two'\n" + use("known", "gpt-4o") + "next = 'other'\n" + use("other", "nobody-knows"));
  for (const std::string subject : {"A", "B"}) {
    ASSERT_EQ(run({"run", "two.toml", "--run-id", "r" + subject, "--subject", subject}).code, 0);
  }
  EXPECT_THAT(run({"costs", "rA", "-q"}).out, HasSubstr("USD + unknown"));
  EXPECT_EQ(at(json_of(run({"costs", "rA", "--json"}).out), "/by"), "step");
  const auto all = json_of(run({"costs", "--json"}).out);
  EXPECT_EQ(at(all, "/by"), "model");
  EXPECT_EQ(at(all, "/total/attempts"), "4");
  EXPECT_EQ(at(json_of(run({"costs", "--subject", "A", "--json"}).out), "/total/attempts"), "2");
}

TEST_F(cli_costs_test, what_a_run_may_cost_ends_it_with_exit_code_6) {
  write("troupe.toml", prices);
  const auto ended = run({"run", chain(10, "limits.budget_usd = 0.2\n"), "--run-id", "r1", "--json"});
  EXPECT_EQ(ended.code, 6) << ended.err;
  const auto run_then = run_of("r1");
  EXPECT_EQ(run_then.state, run_state::failed);
  ASSERT_TRUE(run_then.why);
  EXPECT_EQ(run_then.why->code, error_code::budget_exceeded);
  EXPECT_GT(run_then.supersteps, 20);
  const auto told = run({"logs", "r1"});
  EXPECT_THAT(told.out, AllOf(HasSubstr("80 % of the budget of run r1"), HasSubstr("of 0.20 USD")));
}

TEST_F(cli_costs_test, what_a_day_may_cost_is_for_all_runs) {
  write("troupe.toml", prices + std::string{"[budget]\nday_usd = 0.1\n"});
  EXPECT_EQ(run({"run", chain(1), "--run-id", "r1"}).code, 0);
  const auto second = run({"run", "costs.toml", "--run-id", "r2"});
  EXPECT_EQ(second.code, 6) << second.err;
  EXPECT_THAT(second.out + second.err, HasSubstr("budget.day_usd"));
}

TEST_F(cli_costs_test, an_unknown_model_is_flagged_counted_and_never_free) {
  write("troupe.toml", "[prices.known]\ninput = 1\noutput = 1\n");
  const auto ended = run({"run", chain(1), "--run-id", "r1"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("UNKNOWN_MODEL"));
  EXPECT_EQ(at(json_of(run({"show", "r1", "--json"}).out), "/usage/unpriced"), "12");
  EXPECT_THAT(run({"show", "r1"}).out, HasSubstr("unknown amount for 12 attempts without a price"));
  EXPECT_EQ(run({"costs", "r1", "-q"}).out, "unknown\n");
  EXPECT_THAT(run({"costs", "r1", "--by", "model"}).out, Not(HasSubstr("0.00 USD")));
}

TEST_F(cli_costs_test, without_a_database_there_are_no_costs) {
  EXPECT_EQ(run({"costs"}).code, 0);
  EXPECT_EQ(run({"costs", "r1"}).code, 2);
  EXPECT_EQ(run({"costs", "--by", "colour"}).code, 2);
}

TEST_F(cli_costs_test, a_run_whose_cost_is_not_whole_says_so_where_runs_are_listed) {
  write("troupe.toml", prices);
  write("known.toml",
        "name = 'known'\n[[step]]\nid = 's'\nfunction = 'probe.usage'\nargs = { model = 'gpt-4o', "
        "input_tokens = 1000, output_tokens = 0 }\n");
  write("partly.toml",
        "name = 'partly'\n[[step]]\nid = 's'\nfunction = 'probe.usage'\nargs = { model = 'gpt-4o', "
        "input_tokens = 1000, output_tokens = 0 }\nnext = 't'\n[[step]]\nid = 't'\n"
        "function = 'probe.usage'\nargs = { model = 'x', input_tokens = 1, output_tokens = 1 }\n");
  ASSERT_EQ(run({"run", "known.toml", "--run-id", "r1"}).code, 0);
  ASSERT_EQ(run({"run", "partly.toml", "--run-id", "r2"}).code, 0);
  const auto listed = run({"runs"});
  EXPECT_THAT(listed.out, AllOf(HasSubstr("COST"), HasSubstr("0.0025 USD + unknown\n"), HasSubstr("0.0025 USD\n")));
  const auto json = json_of(run({"runs", "--json"}).out);
  EXPECT_EQ(at(json, "/runs/0/usage/unpriced"), "1");
  EXPECT_EQ(at(json, "/runs/1/usage/unpriced"), "0");
  EXPECT_THAT(run({"show", "r2"}).out, HasSubstr("and an unknown amount for 1 attempt without a price"));
  EXPECT_EQ(at(json_of(run({"show", "r2", "--json"}).out), "/usage/unpriced"), "1");
}

TEST_F(cli_costs_test, how_long_attempts_took_is_told_and_limited) {
  write("troupe.toml", "[budget]\nday_time = \"1m\"\n");
  write("sleep.toml",
        "name = 'sleep'\nlimits.budget_time = '10s'\n[[step]]\nid = 's'\nfunction = 'probe.sleep'\n"
        "args = { ms = 50 }\n");
  ASSERT_EQ(run({"run", "sleep.toml", "--run-id", "r1"}).code, 0);
  const auto costs = run({"costs", "r1"});
  EXPECT_THAT(costs.out, AllOf(HasSubstr("TIME"), Not(HasSubstr("USD")))) << "nothing is known of what it cost";
  const auto json = json_of(run({"costs", "r1", "--json"}).out);
  EXPECT_GE(std::stoi(at(json, "/total/time_ms")), 50);
  EXPECT_EQ(at(json, "/total/unmetered"), "1");
  EXPECT_EQ(at(json, "/total/attempts"), "1");
  const auto refused = run({"run", "sleep.toml", "--run-id", "r2", "--set", "budget.day_time=1ms"});
  EXPECT_EQ(refused.code, 6) << refused.err;
  EXPECT_THAT(refused.out + refused.err, HasSubstr("budget.day_time"));
  write("long.toml",
        "name = 'long'\nlimits.budget_time = '1s'\n[[step]]\nid = 's'\nfunction = 'probe.sleep'\n"
        "args = { ms = 50 }\ntimeout = '2s'\n");
  const auto never_began = run({"run", "long.toml", "--run-id", "r3"});
  EXPECT_EQ(never_began.code, 6);
  EXPECT_THAT(never_began.out + never_began.err, HasSubstr("limits.budget_time"));
}

}  // namespace
}  // namespace troupe
