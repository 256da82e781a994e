// What attempts cost: amounts, models, and what is reserved.
#include "actors/agent/pricing.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace troupe {
namespace {

constexpr timestamp now{std::chrono::hours{500'000}};

price_table known_prices() {
  return {{"gpt-4o", {{2'500'000}, {10'000'000}}},
          {"gpt-4o-mini", {{150'000}, {600'000}}},
          {"claude-3.5-sonnet", {{3'000'000}, {15'000'000}}},
          {"claude-3-haiku", {{250'000}, {1'250'000}}},
          {"gemini-1.5-pro", {{1'250'000}, {5'000'000}}},
          {"gemini-1.5-flash", {{75'000}, {300'000}}}};
}

attempt_order order_of(agent_kind kind, const std::string& model) {
  attempt_order order;
  order.spec.kind = kind;
  order.spec.model = model;
  order.estimate = {1'000, 500};
  order.prices = std::make_shared<const price_table>(known_prices());
  return order;
}

task_outcome completed_with(std::optional<token_usage> usage) {
  task_outcome outcome;
  outcome.value = json_text{"1"};
  outcome.usage = std::move(usage);
  return outcome;
}

TEST(Pricing, twelve_calls_ten_times_come_to_the_micro_dollar) {
  struct call {
    const char* model;
    token_estimate tokens;
    std::int64_t microusd;
  };
  const std::vector<call> calls{{"gpt-4o", {1'000, 500}, 7'500},
                                {"gpt-4o", {2'000, 1'000}, 15'000},
                                {"gpt-4o-mini", {1'000, 500}, 450},
                                {"gpt-4o-mini", {5'000, 2'000}, 1'950},
                                {"claude-3.5-sonnet", {1'000, 500}, 10'500},
                                {"claude-3.5-sonnet", {2'000, 1'000}, 21'000},
                                {"claude-3-haiku", {1'000, 500}, 875},
                                {"claude-3-haiku", {10'000, 5'000}, 8'750},
                                {"gemini-1.5-pro", {1'000, 500}, 3'750},
                                {"gemini-1.5-pro", {3'000, 1'500}, 11'250},
                                {"gemini-1.5-flash", {1'000, 500}, 225},
                                {"gemini-1.5-flash", {10'000, 5'000}, 2'250}};
  const auto prices = known_prices();
  std::int64_t microusd = 0;
  token_estimate tokens;
  for (int i = 0; i < 10; ++i) {
    for (const auto& each : calls) {
      EXPECT_EQ(amount_of(prices.at(each.model), each.tokens), each.microusd) << each.model;
      microusd += amount_of(prices.at(each.model), each.tokens);
      tokens.input += each.tokens.input;
      tokens.output += each.tokens.output;
    }
  }
  EXPECT_EQ(microusd, 835'000);
  EXPECT_EQ(tokens.input, 380'000);
  EXPECT_EQ(tokens.output, 185'000);
}

TEST(Pricing, the_sum_is_rounded_once_and_half_of_one_up) {
  EXPECT_EQ(amount_of({{75'000}, {0}}, {6, 0}), 0);         // 0.45
  EXPECT_EQ(amount_of({{500'000}, {0}}, {1, 0}), 1);        // 0.5
  EXPECT_EQ(amount_of({{499'999}, {0}}, {1, 0}), 0);        // 0.499999
  EXPECT_EQ(amount_of({{300'000}, {300'000}}, {1, 1}), 1);  // 0.3 + 0.3, each alone would be 0
  EXPECT_EQ(amount_of({{1}, {1}}, {0, 0}), 0);
  EXPECT_EQ(amount_of({{1'000'000}, {1'000'000}}, {-5, 3}), 3);
}

TEST(Pricing, amounts_of_any_size_are_exact_or_the_largest) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t dearest = 1'000'000'000'000;  // a million USD for a million tokens
  EXPECT_EQ(amount_of({{dearest}, {dearest}}, {999'999, 999'999}), 1'999'998'000'000);
  EXPECT_EQ(amount_of({{1}, {0}}, {largest, 0}), 9'223'372'036'855);
  EXPECT_EQ(amount_of({{dearest}, {0}}, {largest, 0}), largest);
  EXPECT_EQ(amount_of({{dearest}, {dearest}}, {largest, largest}), largest);
  EXPECT_EQ(amount_of({{largest / 5}, {0}}, {5'000'000, 0}), largest - 2) << "the last that is exact";
  EXPECT_EQ(amount_of({{largest / 2 + 1}, {largest / 2 + 1}}, {1'000'000, 1'000'000}), largest);
}

// Against the definition, in numbers that are wide enough for it.
TEST(Pricing, is_the_rounded_rational_sum_for_random_amounts) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::int64_t> price{0, 100'000'000};
  std::uniform_int_distribution<std::int64_t> count{0, 10'000'000'000};
  for (int i = 0; i < 10'000; ++i) {
    const token_price each{{price(random)}, {price(random)}};
    const token_estimate tokens{count(random), count(random)};
    const auto exact = static_cast<long double>(tokens.input) * static_cast<long double>(each.input.microusd) +
                       static_cast<long double>(tokens.output) * static_cast<long double>(each.output.microusd);
    const auto rounded = static_cast<std::int64_t>((exact + 500'000.0L) / 1'000'000.0L);
    ASSERT_EQ(amount_of(each, tokens), rounded) << tokens.input << ' ' << tokens.output;
  }
}

TEST(Pricing, a_model_is_found_by_its_name_or_by_that_it_is_configured_by) {
  const auto prices = known_prices();
  const auto* gpt = &prices.at("gpt-4o");
  EXPECT_EQ(price_of(prices, "gpt-4o", ""), gpt);
  EXPECT_EQ(price_of(prices, "gpt-4o", "claude-3-haiku"), gpt);
  EXPECT_EQ(price_of(prices, "gpt-4o-2024-11-20", "gpt-4o"), gpt);
  EXPECT_EQ(price_of(prices, "", "gpt-4o"), gpt);
  EXPECT_EQ(price_of(prices, "gpt-4o-2024-11-20", ""), nullptr);
  EXPECT_EQ(price_of(prices, "other", "gpt-4o"), nullptr);
  EXPECT_EQ(price_of(prices, "", ""), nullptr);
}

TEST(Pricing, what_was_reported_counts_however_the_attempt_went) {
  const auto order = order_of(agent_kind::command, "gpt-4o");
  for (const auto contact : {model_contact::none, model_contact::possible}) {
    const auto cost = cost_of(order, completed_with(token_usage{"gpt-4o-mini", 1'000, 500}), contact);
    ASSERT_TRUE(cost);
    EXPECT_EQ(cost->model, "gpt-4o-mini");
    EXPECT_EQ(cost->source, cost_source::reported);
    EXPECT_EQ(cost->microusd, 450);
  }
}

TEST(Pricing, what_is_reported_below_nothing_is_nothing) {
  const auto cost =
      cost_of(order_of(agent_kind::command, "gpt-4o"), completed_with(token_usage{"", -7, -8}), model_contact::none);
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->model, "gpt-4o");
  EXPECT_EQ(cost->input_tokens, 0);
  EXPECT_EQ(cost->output_tokens, 0);
  EXPECT_EQ(cost->microusd, 0);
}

// Sums of many of them stay within what a row can hold.
TEST(Pricing, what_nobody_can_have_used_is_bounded) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto told = bounded(token_usage{"gpt-4o", most, most});
  EXPECT_EQ(told.input_tokens, 1'000'000'000);
  EXPECT_EQ(told.output_tokens, 1'000'000'000);
  auto order = order_of(agent_kind::command, "gold");
  auto prices = std::make_shared<price_table>();
  (*prices)["gold"] = {{most / 2}, {most / 2}};
  order.prices = prices;
  const auto cost = cost_of(order, completed_with(token_usage{"gold", most, most}), model_contact::none);
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->input_tokens, 1'000'000'000);
  EXPECT_EQ(cost->microusd, 1'000'000'000'000);
}

TEST(Pricing, an_unknown_model_has_no_amount_and_is_never_free) {
  const auto order = order_of(agent_kind::function, "");
  const auto cost = cost_of(order, completed_with(token_usage{"nobody-knows-me", 10, 20}), model_contact::possible);
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->source, cost_source::unknown);
  EXPECT_EQ(cost->microusd, std::nullopt);
  EXPECT_EQ(cost->input_tokens, 10);
  auto without = order;
  without.prices.reset();
  EXPECT_EQ(cost_of(without, completed_with(token_usage{"gpt-4o", 10, 20}), model_contact::possible)->source,
            cost_source::unknown);
}

TEST(Pricing, who_reports_nothing_is_estimated_where_a_model_is_known) {
  const auto cost = cost_of(order_of(agent_kind::command, "gpt-4o"), completed_with({}), model_contact::possible);
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->source, cost_source::estimated);
  EXPECT_EQ(cost->input_tokens, 1'000);
  EXPECT_EQ(cost->microusd, 7'500);
  EXPECT_EQ(cost_of(order_of(agent_kind::http, "local"), completed_with({}), model_contact::possible)->source,
            cost_source::unknown);
  EXPECT_FALSE(cost_of(order_of(agent_kind::command, ""), completed_with({}), model_contact::possible));
  EXPECT_FALSE(cost_of(order_of(agent_kind::function, ""), completed_with({}), model_contact::possible));
  EXPECT_FALSE(cost_of(order_of(agent_kind::command, "gpt-4o"), completed_with({}), model_contact::none));
}

TEST(Pricing, a_model_was_at_work_where_it_answered_or_was_stopped) {
  task_outcome failed;
  failed.state = task_state::failed;
  failed.why = error{error_code::agent_exit, "", ""};
  EXPECT_EQ(contact_of(failed, true, false), model_contact::none);
  EXPECT_EQ(contact_of(failed, true, true), model_contact::possible);
  EXPECT_EQ(contact_of(failed, false, true), model_contact::none);
  for (const auto code : {error_code::output_invalid, error_code::output_too_large}) {
    failed.why->code = code;
    EXPECT_EQ(contact_of(failed, true, false), model_contact::possible);
  }
  EXPECT_EQ(contact_of(completed_with({}), true, false), model_contact::possible);
  task_outcome interrupted;
  interrupted.state = task_state::interrupted;
  EXPECT_EQ(contact_of(interrupted, true, false), model_contact::possible);
}

TEST(Pricing, is_reserved_only_where_a_budget_counts_it) {
  auto order = order_of(agent_kind::http, "gpt-4o");
  EXPECT_FALSE(reservation_of(order, {}, now));
  order.budget.tokens = 5;
  const auto wanted = reservation_of(order, {}, now);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->microusd, 7'500);
  EXPECT_EQ(wanted->tokens, 1'500);
  order.budget.tokens.reset();
  const budget_ceilings of_day{{}, {1'000}};
  EXPECT_EQ(reservation_of(order, of_day, now)->ceilings, of_day);
  EXPECT_EQ(reservation_of(order_of(agent_kind::http, "local"), of_day, now)->microusd, 0);
  EXPECT_EQ(reservation_of(order_of(agent_kind::http, "local"), of_day, now)->tokens, 1'500);
  EXPECT_EQ(reservation_of(order_of(agent_kind::function, ""), of_day, now)->tokens, 0);
  EXPECT_FALSE(reservation_of(order_of(agent_kind::workflow, ""), of_day, now));
}

TEST(Pricing, of_time_as_much_is_reserved_as_the_attempt_may_take) {
  auto order = order_of(agent_kind::command, "");
  order.budget.time = 1h;
  EXPECT_EQ(reservation_of(order, {}, now)->time, 0s) << "nothing bounds it, and nothing is known";
  order.limits.timeout = 10min;
  EXPECT_EQ(reservation_of(order, {}, now)->time, 10min);
  order.deadline = now + 3min;
  EXPECT_EQ(reservation_of(order, {}, now)->time, 3min);
  order.deadline = now + 11min;
  EXPECT_EQ(reservation_of(order, {}, now)->time, 10min);
  order.limits.timeout.reset();
  EXPECT_EQ(reservation_of(order, {}, now)->time, 11min);
  order.deadline = now - 1s;
  EXPECT_EQ(reservation_of(order, {}, now)->time, 0s);
  order.spec.kind = agent_kind::function;
  order.limits.timeout = 5s;
  order.deadline.reset();
  EXPECT_EQ(reservation_of(order, {}, now)->time, 5s) << "a function takes time like any other";
  order.budget.time.reset();
  EXPECT_FALSE(reservation_of(order, {}, now));
  EXPECT_TRUE(reservation_of(order, {{{}, {}, 1h}, {}}, now));
}

}  // namespace
}  // namespace troupe
