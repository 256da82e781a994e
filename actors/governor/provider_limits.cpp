#include "actors/governor/provider_limits.hpp"

#include <algorithm>
#include <string>

namespace troupe {
namespace {

milliseconds until(instant then, instant now) { return std::chrono::ceil<milliseconds>(then - now); }

timestamp time_of(instant then, moment now) {
  return now.day + std::chrono::ceil<std::chrono::microseconds>(then - now.steady);
}

milliseconds until_midnight(moment now) {
  const auto midnight = std::chrono::floor<std::chrono::days>(now.day) + std::chrono::days{1};
  return std::chrono::ceil<milliseconds>(timestamp{midnight} - now.day);
}

error circuit_is_open(const provider_spec& spec, instant then, moment now) {
  return {
      error_code::circuit_open,
      "provider " + spec.name.str() + " is not asked until " + to_rfc3339(time_of(then, now)) +
          ": too many calls failed",
      "the errors of the attempts before say why; providers." + spec.name.str() + ".breaker sets how many are borne",
      until(then, now.steady)};
}

error wants_to_be_left_alone(const provider_spec& spec, instant then, moment now) {
  return {error_code::rate_limited,
          "provider " + spec.name.str() + " refused, and takes no requests until " + to_rfc3339(time_of(then, now)),
          "wait, or let other providers do the work",
          until(then, now.steady)};
}

error quota_is_used_up(const provider_spec& spec, std::int64_t used, moment now) {
  const auto left = until_midnight(now);
  return {error_code::rate_limited,
          "provider " + spec.name.str() + ": " + std::to_string(used) + " of " + std::to_string(spec.requests_per_day) +
              " requests of this day (UTC) are used; the quota begins anew at " +
              to_rfc3339(timestamp{std::chrono::floor<std::chrono::days>(now.day) + std::chrono::days{1}}),
          "wait, or raise providers." + spec.name.str() + ".requests_per_day if the provider allows more",
          left};
}

}  // namespace

provider_limits::provider_limits(const provider_spec& spec)
    : spec_(spec), breaker_(spec.breaker), pace_(spec.max_concurrent), window_(spec) {}

bool provider_limits::needs_rows() const noexcept {
  return !is_restored_ && (spec_.requests_per_minute > 0 || spec_.input_tokens_per_minute > 0 ||
                           spec_.output_tokens_per_minute > 0 || spec_.requests_per_day > 0);
}

void provider_limits::restore(const provider_use& use, moment now) {
  begin_day(now);
  is_restored_ = true;
  requests_today_ += use.requests_today;
  for (const auto& each : use.last_minute) {
    // One of the future was written by a clock that has been set back since.
    const auto ago = std::max(now.day - each.started_at, std::chrono::microseconds{0});
    window_.restore(each.tokens, now.steady - ago);
  }
}

void provider_limits::begin_day(moment now) {
  const auto today = std::chrono::floor<std::chrono::days>(now.day);
  if (today > day_) {
    day_ = today;
    requests_today_ = 0;
  }
}

std::optional<error> provider_limits::long_from_now(moment now) const {
  if (const auto then = breaker_.closed_until(now.steady)) {
    return circuit_is_open(spec_, *then, now);
  }
  if (const auto then = pace_.paused_until(now.steady); then && *then - now.steady > wait_max) {
    return wants_to_be_left_alone(spec_, *then, now);
  }
  const bool is_used_up = spec_.requests_per_day > 0 && requests_today_ >= spec_.requests_per_day;
  if (is_used_up && until_midnight(now) > wait_max) {
    return quota_is_used_up(spec_, requests_today_, now);
  }
  return std::nullopt;
}

std::optional<error> provider_limits::refusal(moment now) {
  if (needs_rows()) {
    return std::nullopt;
  }
  begin_day(now);
  return long_from_now(now);
}

provider_limits::verdict provider_limits::look(const token_estimate& wanted, moment now) {
  if (needs_rows()) {
    return wait{};
  }
  if (auto why = refusal(now)) {
    return refuse{*std::move(why)};
  }
  if (!breaker_.lets_through(now.steady)) {
    return wait{};
  }
  auto at = pace_.room_at(now.steady);
  if (!at) {
    return wait{};
  }
  at = std::max(*at, window_.room_at(wanted, now.steady));
  if (spec_.requests_per_day > 0 && requests_today_ >= spec_.requests_per_day) {
    at = std::max(*at, now.steady + until_midnight(now));
  }
  return *at > now.steady ? verdict{wait{at}} : verdict{go{}};
}

provider_limits::started provider_limits::begin(const token_estimate& wanted, moment now) {
  ++granted_;
  ++requests_today_;
  return {breaker_.begin(now.steady),
          pace_.begin(now.steady),
          window_.reserve(wanted, now.steady),
          wanted,
          now.steady,
          day_};
}

void provider_limits::end(const started& attempt, const return_permit& how, moment now) {
  begin_day(now);
  breaker_.end(attempt.breaker, how.how, now.steady);
  switch (how.how) {
    case permit_end::succeeded:
      pace_.succeeded(attempt.pace);
      break;
    case permit_end::rate_limited:
      ++rate_limited_;
      pace_.refused(attempt.pace, attempt.at, how.retry_after, now.steady);
      window_.give_back(attempt.place, now.steady);
      requests_today_ -= attempt.day == day_ ? 1 : 0;
      return;
    case permit_end::failed:
    case permit_end::not_counted:
      pace_.ended_otherwise(attempt.pace);
      break;
  }
  if (how.used) {
    window_.settle(attempt.place, attempt.expected, *how.used, now.steady);
  }
}

provider_view provider_limits::view(moment now) {
  begin_day(now);
  const auto used = window_.used(now.steady);
  provider_view told;
  told.provider = spec_.name;
  told.running = pace_.running();
  told.concurrency = pace_.concurrency();
  told.max_concurrent = spec_.max_concurrent;
  told.requests_per_minute = {used.requests, spec_.requests_per_minute};
  told.input_tokens_per_minute = {used.tokens.input, spec_.input_tokens_per_minute};
  told.output_tokens_per_minute = {used.tokens.output, spec_.output_tokens_per_minute};
  told.requests_per_day = {requests_today_, spec_.requests_per_day};
  told.breaker = breaker_.state();
  if (const auto then = breaker_.closed_until(now.steady)) {
    told.closed_until = time_of(*then, now);
  } else if (const auto pause = pace_.paused_until(now.steady)) {
    told.closed_until = time_of(*pause, now);
  } else if (spec_.requests_per_day > 0 && requests_today_ >= spec_.requests_per_day) {
    told.closed_until = now.day + until_midnight(now);
  }
  told.granted = granted_;
  told.rate_limited = rate_limited_;
  return told;
}

}  // namespace troupe
