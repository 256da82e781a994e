// What attempts cost, and what the next one may: from tokens and prices to amounts. Pure.
#pragma once

#include "messages/attempt.hpp"
#include "messages/cost.hpp"
#include "messages/limits.hpp"
#include "messages/run.hpp"
#include "messages/writes.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// More than any attempt can have used. An agent may tell anything, and sums over many attempts must stay within 64 bits.
inline constexpr std::int64_t tokens_of_attempt_max = 1'000'000'000;
inline constexpr std::int64_t microusd_of_attempt_max = 1'000'000'000'000;

/// What an agent told, from 0 to tokens_of_attempt_max each.
token_usage bounded(token_usage told);

/// The exact sum of what the tokens cost, rounded once to whole micro-dollars, half of one up. Negative counts are
/// taken for 0; what is larger than 64 bits hold is the largest amount.
std::int64_t amount_of(const token_price& price, const token_estimate& tokens) noexcept;

/// Of the model that the agent reported, else of the one that it is configured for where the reported name is that with
/// something behind it (`gpt-4o` of `gpt-4o-2024-11-20`) or is empty. Null: there is none.
const token_price* price_of(const price_table& prices, const std::string& reported, const std::string& configured);

/// How much an attempt had to do with its model, where it reports nothing.
enum class model_contact {
  none,      ///< It never started, or failed by itself without an answer.
  possible,  ///< It answered, or was stopped while it may have been at work.
};

model_contact contact_of(const task_outcome& outcome, bool has_started, bool was_stopped);

/// Of tokens that were reported, whatever became of the attempt; else of those that were expected, where an agent over
/// HTTP or with a configured model has been in contact with it. None: nothing is known to have been used.
std::optional<attempt_cost> cost_of(const attempt_order& order, const task_outcome& outcome, model_contact contact);

/// What to reserve before the attempt begins at `now`. None where no budget counts it: no command is told then. Of a
/// function, or an agent of which no model is known, no tokens are expected. Of time, as much as it may take: until its
/// timeout or the run's deadline; nothing is known where it has neither. A child run's attempts reserve for themselves.
std::optional<reserve_budget> reservation_of(const attempt_order& order,
                                             const budget_ceilings& ceilings,
                                             timestamp now);

}  // namespace troupe
