#include "storage/budget_refusal.hpp"

#include <string>
#include <utility>

namespace troupe {
namespace {

std::string usd_text(std::int64_t microusd) {
  constexpr std::int64_t microusd_per_usd = 1'000'000;
  auto part = std::to_string(microusd_per_usd + microusd % microusd_per_usd);
  part.front() = '.';
  return std::to_string(microusd / microusd_per_usd) + part + " USD";
}

// Whole seconds, once there is one.
std::string time_text(std::chrono::microseconds length) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(length);
  return to_text(length < 1s ? std::chrono::floor<milliseconds>(length) : milliseconds{seconds});
}

std::string amount_text(budget_unit unit, std::int64_t amount) {
  switch (unit) {
    case budget_unit::microusd:
      return usd_text(amount);
    case budget_unit::tokens:
      return std::to_string(amount) + " tokens";
    case budget_unit::microseconds:
      return time_text(std::chrono::microseconds{amount}) + " of attempts";
  }
  return {};
}

std::string name_of(const budget_line& line) {
  switch (line.scope) {
    case budget_scope::run:
      return "run " + line.key;
    case budget_scope::subject:
      return "subject '" + line.key + "'";
    case budget_scope::day:
      return "the day " + line.key;
  }
  return line.key;
}

std::string key_ending(budget_unit unit) {
  switch (unit) {
    case budget_unit::microusd:
      return "usd";
    case budget_unit::tokens:
      return "tokens";
    case budget_unit::microseconds:
      return "time";
  }
  return {};
}

std::string hint_for(budget_scope scope, budget_unit unit) {
  switch (scope) {
    case budget_scope::run:
      return "what is done is kept; raise limits.budget_" + key_ending(unit) + " in the workflow";
    case budget_scope::subject:
      return "what is done is kept; raise budget.subject_" + key_ending(unit);
    case budget_scope::day:
      return "what is done is kept; wait for the next day (UTC), or raise budget.day_" + key_ending(unit);
  }
  return {};
}

}  // namespace

error refusal_of(const budget_standing& standing) {
  const auto& line = standing.line;
  std::string message = name_of(line) + " may use up " + amount_text(line.unit, standing.ceiling) + " and has used " +
                        amount_text(line.unit, standing.spent);
  if (standing.reserved > 0) {
    message += ", with " + amount_text(line.unit, standing.reserved) + " reserved by attempts under way";
  }
  if (line.amount > 0) {
    message += "; the next attempt is expected to use " + amount_text(line.unit, line.amount);
  }
  return {error_code::budget_exceeded, std::move(message), hint_for(line.scope, line.unit)};
}

}  // namespace troupe
