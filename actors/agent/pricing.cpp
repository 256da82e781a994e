#include "actors/agent/pricing.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {
namespace {

constexpr std::int64_t million = 1'000'000;
constexpr auto largest = std::numeric_limits<std::int64_t>::max();

// Of counts and prices, which are not negative.
std::int64_t saturated_product(std::int64_t left, std::int64_t right) noexcept {
  return left != 0 && right > largest / left ? largest : left * right;
}

std::int64_t saturated_sum(std::int64_t left, std::int64_t right) noexcept {
  return right > largest - left ? largest : left + right;
}

// Tokens as whole millions and the rest, so that a price for a million is exact for the former.
struct divided {
  explicit divided(std::int64_t tokens) noexcept
      : whole(std::max<std::int64_t>(tokens, 0) / million), rest(std::max<std::int64_t>(tokens, 0) % million) {}
  std::int64_t whole;
  std::int64_t rest;
};

bool knows_model(const attempt_order& order) {
  switch (order.spec.kind) {
    case agent_kind::http:
      return true;
    case agent_kind::command:
      return !order.spec.model.empty();
    case agent_kind::function:
    case agent_kind::workflow:
      return false;
  }
  return false;
}

const token_price* price_in(const attempt_order& order, const std::string& reported) {
  return order.prices ? price_of(*order.prices, reported, order.spec.model) : nullptr;
}

std::chrono::microseconds time_expected(const attempt_order& order, timestamp now) {
  std::optional<std::chrono::microseconds> most = order.limits.timeout;
  if (order.deadline) {
    const auto left = std::max(*order.deadline - now, 0us);
    most = std::min(most.value_or(left), left);
  }
  return most.value_or(0us);
}

}  // namespace

// A price is at most 10^12 micro-dollars (config/cost_keys.cpp), so that the rests stay below 2 * 10^18.
std::int64_t amount_of(const token_price& price, const token_estimate& tokens) noexcept {
  const divided input{tokens.input};
  const divided output{tokens.output};
  const auto whole = saturated_sum(saturated_product(input.whole, price.input.microusd),
                                   saturated_product(output.whole, price.output.microusd));
  const auto rest = saturated_sum(saturated_product(input.rest, price.input.microusd),
                                  saturated_product(output.rest, price.output.microusd));
  return saturated_sum(whole, saturated_sum(rest, million / 2) / million);
}

const token_price* price_of(const price_table& prices, const std::string& reported, const std::string& configured) {
  auto found = prices.find(reported);
  if (found == prices.end() && reported.starts_with(configured)) {
    found = prices.find(configured);
  }
  if (found == prices.end() && reported.empty()) {
    found = prices.find(configured);
  }
  return found == prices.end() ? nullptr : &found->second;
}

model_contact contact_of(const task_outcome& outcome, bool has_started, bool was_stopped) {
  if (!has_started) {
    return model_contact::none;
  }
  const bool answered =
      outcome.value.has_value() || (outcome.why && (outcome.why->code == error_code::output_invalid ||
                                                    outcome.why->code == error_code::output_too_large));
  return answered || was_stopped || outcome.state == task_state::interrupted ? model_contact::possible
                                                                             : model_contact::none;
}

token_usage bounded(token_usage told) {
  told.input_tokens = std::clamp<std::int64_t>(told.input_tokens, 0, tokens_of_attempt_max);
  told.output_tokens = std::clamp<std::int64_t>(told.output_tokens, 0, tokens_of_attempt_max);
  return told;
}

std::optional<attempt_cost> cost_of(const attempt_order& order, const task_outcome& outcome, model_contact contact) {
  attempt_cost cost;
  if (outcome.usage) {
    cost.model = outcome.usage->model.empty() ? order.spec.model : outcome.usage->model;
    const auto told = bounded(*outcome.usage);
    cost.input_tokens = told.input_tokens;
    cost.output_tokens = told.output_tokens;
    cost.source = cost_source::reported;
  } else if (contact == model_contact::possible && knows_model(order)) {
    cost.model = order.spec.model;
    cost.input_tokens = order.estimate.input;
    cost.output_tokens = order.estimate.output;
    cost.source = cost_source::estimated;
  } else {
    return std::nullopt;
  }
  if (const auto* price = price_in(order, cost.model)) {
    cost.microusd = std::min(amount_of(*price, {cost.input_tokens, cost.output_tokens}), microusd_of_attempt_max);
  } else {
    cost.source = cost_source::unknown;
  }
  return cost;
}

std::optional<reserve_budget> reservation_of(const attempt_order& order,
                                             const budget_ceilings& ceilings,
                                             timestamp now) {
  const bool is_limited = order.budget != budget_limits{} || ceilings != budget_ceilings{};
  if (!is_limited || order.spec.kind == agent_kind::workflow) {
    return std::nullopt;
  }
  reserve_budget wanted;
  wanted.ceilings = ceilings;
  wanted.time = time_expected(order, now);
  if (knows_model(order)) {
    wanted.tokens = saturated_sum(order.estimate.input, order.estimate.output);
    const auto* price = price_in(order, order.spec.model);
    wanted.microusd = price != nullptr ? amount_of(*price, order.estimate) : 0;
  }
  return wanted;
}

}  // namespace troupe
