#include "actors/governor/circuit_breaker.hpp"

#include "messages/base/invariant.hpp"

#include <algorithm>

namespace troupe {

circuit_breaker::circuit_breaker(const breaker_spec& rules) : rules_(rules) {
  outcomes_.reserve(static_cast<std::size_t>(std::max(rules_.window, 1)));
}

bool circuit_breaker::lets_through(instant now) const noexcept {
  switch (state_) {
    case breaker_state::closed:
      return true;
    case breaker_state::open:
      return now >= open_until_;
    case breaker_state::half_open:
      return !probe_is_out_;
  }
  return false;
}

circuit_breaker::ticket circuit_breaker::begin(instant now) {
  invariant(lets_through(now), "a call begins only where the breaker lets it through");
  if (state_ != breaker_state::closed) {
    if (state_ == breaker_state::open) {
      change(breaker_state::half_open);
    }
    probe_is_out_ = true;
  }
  return changes_;
}

void circuit_breaker::end(ticket of, permit_end how, instant now) {
  if (of != changes_) {
    return;
  }
  const bool counts = how == permit_end::succeeded || how == permit_end::failed;
  if (state_ == breaker_state::half_open) {
    probe_is_out_ = false;
    if (counts) {
      change(how == permit_end::succeeded ? breaker_state::closed : breaker_state::open);
    }
  } else if (counts) {
    count(how == permit_end::failed);
    if (has_seen_enough()) {
      change(breaker_state::open);
    }
  }
  if (state_ == breaker_state::open) {
    open_until_ = now + rules_.open_for;
  }
}

void circuit_breaker::count(bool is_failure) noexcept {
  in_a_row_ = is_failure ? in_a_row_ + 1 : 0;
  failures_ += is_failure ? 1 : 0;
  if (outcomes_.size() < static_cast<std::size_t>(std::max(rules_.window, 1))) {
    outcomes_.push_back(is_failure ? 1 : 0);
    return;
  }
  failures_ -= outcomes_[oldest_];
  outcomes_[oldest_] = is_failure ? 1 : 0;
  oldest_ = (oldest_ + 1) % outcomes_.size();
}

bool circuit_breaker::has_seen_enough() const noexcept {
  if (rules_.consecutive > 0 && in_a_row_ >= rules_.consecutive) {
    return true;
  }
  constexpr double rounding = 1e-9;
  const auto calls = static_cast<std::int64_t>(outcomes_.size());
  return failures_ > 0 && calls >= rules_.min_calls &&
         static_cast<double>(failures_) + rounding >= rules_.failure_rate * static_cast<double>(calls);
}

void circuit_breaker::change(breaker_state to) noexcept {
  state_ = to;
  ++changes_;
  probe_is_out_ = false;
  outcomes_.clear();
  oldest_ = 0;
  failures_ = 0;
  in_a_row_ = 0;
}

std::optional<instant> circuit_breaker::closed_until(instant now) const noexcept {
  return state_ == breaker_state::open && now < open_until_ ? std::optional{open_until_} : std::nullopt;
}

}  // namespace troupe
