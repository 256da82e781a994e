// EN-9: what a run may cost is for it and its child runs together; through a whole node.
#include "tests/support/node_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* config = R"(
[storage]
durability = "normal"
[prices.m]
input = 1
output = 1
)";

// `of_run` are limits, `of_step` are keys of the map's step, `steps` come behind it.
std::string parent(const std::string& of_run,
                   const std::string& child,
                   const std::string& of_step = "",
                   const std::string& steps = "") {
  return "name = 'parent'\nstart = 'begin'\n[limits]\n" + of_run +
         "\n[state.list]\ninitial = [1, 2, 3]\n[[step]]\nid = 'begin'\nfunction = 'spend'\nnext = 'each'\n"
         "[[step]]\nid = 'each'\nmap = { over = '/list', as = 'n', workflow = 'child.toml', max_concurrent = 1 }\n" +
         of_step + steps + "\n[workflow_files]\n'child.toml' = '''\n" + child + "'''\n";
}

std::string child(const std::string& function, const std::string& limits = "") {
  return "name = \"child\"\n" + limits + "[inputs.n]\nrequired = true\n[[step]]\nid = \"one\"\nfunction = \"" +
         function + "\"\nnext = \"two\"\n[[step]]\nid = \"two\"\nfunction = \"" + function + "\"\n";
}

class child_budgets_test : public node_fixture {
 protected:
  // `spend` costs 0.01 USD and 10,000 tokens, `squander` 1 USD, `free` nothing.
  function_table functions() {
    const auto costs = [this](std::int64_t tokens) {
      return [this, tokens](const function_request&) -> result<function_reply> {
        ++calls_;
        function_reply reply;
        reply.value = json_text{"1"};
        reply.usage = token_usage{"m", tokens, 0};
        return reply;
      };
    };
    function_table table;
    table["spend"] = costs(10'000);
    table["squander"] = costs(1'000'000);
    table["free"] = [](const function_request&) -> result<function_reply> {
      function_reply reply;
      reply.value = json_text{"true"};
      return reply;
    };
    return table;
  }

  struct child_row {
    std::string state;
    std::string code;
    std::int64_t microusd = 0;
    std::int64_t steps = 0;

    friend bool operator==(const child_row&, const child_row&) = default;
    friend void PrintTo(const child_row& row, std::ostream* out) {  // NOLINT(readability-identifier-naming)
      *out << row.state << ' ' << row.code << ' ' << row.microusd << " in " << row.steps;
    }
  };

  /// In the order of the elements.
  std::vector<child_row> children() const {
    SQLite::Database database{database_path(), SQLite::OPEN_READONLY};
    SQLite::Statement rows{database,
                           "SELECT runs.state, coalesce(runs.error_code, ''), cost_microusd, steps FROM runs"
                           " JOIN tasks ON task_id = parent_task_id ORDER BY tasks.item"};
    std::vector<child_row> all;
    while (rows.executeStep()) {
      all.push_back({rows.getColumn(0).getString(),
                     rows.getColumn(1).getString(),
                     rows.getColumn(2).getInt64(),
                     rows.getColumn(3).getInt64()});
    }
    return all;
  }

  /// What the first child may cost, in micro-dollars.
  std::int64_t may_cost() const {
    SQLite::Database database{database_path(), SQLite::OPEN_READONLY};
    return database
        .execAndGet(
            "SELECT coalesce(budget_microusd, -1) FROM runs JOIN tasks ON task_id = parent_task_id ORDER BY item")
        .getInt64();
  }

  static std::int64_t sum_of(const std::vector<child_row>& all) {
    std::int64_t sum = 0;
    for (const auto& each : all) {
      sum += each.microusd;
    }
    return sum;
  }

  void expect_over_budget(const run_view& run) const {
    EXPECT_EQ(run.state, run_state::failed);
    ASSERT_TRUE(run.why);
    EXPECT_EQ(run.why->code, error_code::budget_exceeded) << run.why->message;
  }

  std::atomic<int> calls_ = 0;
};

// 0.01 of its own and 0.02 of each child are more than 0.06 in the third child, at its second step.
TEST_F(child_budgets_test, children_may_use_what_is_left_of_their_parents_budget) {
  const auto node = start_node(config, functions());
  const auto run = run_to_end(*node, parent("budget_usd = 0.06", child("spend")));
  expect_over_budget(run);
  EXPECT_EQ(run.failed_step, step_id{"each"});
  EXPECT_THAT(children(),
              ElementsAre(child_row{"completed", "", 20'000, 2},
                          child_row{"completed", "", 20'000, 2},
                          child_row{"failed", "BUDGET_EXCEEDED", 10'000, 1}));
  EXPECT_EQ(may_cost(), 50'000) << "what was left when the first one began";
  EXPECT_EQ(calls_.load(), 6) << "what would pass it never begins";
  EXPECT_EQ(run.cost_microusd, 10'000 + sum_of(children()));
  EXPECT_EQ(run.input_tokens, 60'000);
  EXPECT_EQ(run.result.str(), R"({"begin":1,"list":[1,2,3]})") << "what is done is kept";
}

// The parent would go on if the child alone had failed.
TEST_F(child_budgets_test, what_a_child_squanders_ends_its_parent_whatever_that_does_with_errors) {
  const auto node = start_node(config, functions());
  const auto run = run_to_end(*node,
                              parent("budget_usd = 0.5",
                                     child("squander"),
                                     "on_error = 'sorry'\n",
                                     "[[step]]\nid = 'sorry'\ngate = { prompt = '?', expires = '1ms', on_expiry = "
                                     "'approve' }\n"));
  expect_over_budget(run);
  EXPECT_THAT(children(), ElementsAre(child_row{"failed", "BUDGET_EXCEEDED", 1'000'000, 1}));
  EXPECT_EQ(may_cost(), 490'000);
  EXPECT_EQ(run.cost_microusd, 1'010'000);
  EXPECT_THAT(run.result.str(), HasSubstr(R"("begin":1)"));
}

TEST_F(child_budgets_test, a_childs_own_budget_is_its_own_and_its_parent_may_deal_with_that) {
  const auto node = start_node(config, functions());
  const auto run = run_to_end(*node,
                              parent("budget_usd = 1",
                                     child("spend", "limits.budget_usd = 0.01\n"),
                                     "on_error = 'sorry'\n",
                                     "[[step]]\nid = 'sorry'\nfunction = 'free'\n"));
  EXPECT_EQ(run.state, run_state::completed) << (run.why ? run.why->message : "");
  EXPECT_THAT(run.result.str(), HasSubstr(R"("code":"BUDGET_EXCEEDED")"));
  EXPECT_THAT(run.result.str(), HasSubstr(R"("sorry":true)"));
  const auto told = children();
  ASSERT_FALSE(told.empty());
  for (const auto& each : told) {
    EXPECT_EQ(each, (child_row{"failed", "BUDGET_EXCEEDED", 10'000, 1}));
  }
  EXPECT_EQ(may_cost(), 10'000) << "its own, where that is less";
  EXPECT_EQ(run.cost_microusd, 10'000 + sum_of(told));
}

}  // namespace
}  // namespace troupe
