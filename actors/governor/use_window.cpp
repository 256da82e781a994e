#include "actors/governor/use_window.hpp"

#include <algorithm>

namespace troupe {
namespace {

void add_to(use_window::amount& sum, const use_window::amount& what) {
  sum.requests += what.requests;
  sum.tokens.input += what.tokens.input;
  sum.tokens.output += what.tokens.output;
}

void take_from(use_window::amount& sum, const use_window::amount& what) {
  sum.requests -= what.requests;
  sum.tokens.input -= what.tokens.input;
  sum.tokens.output -= what.tokens.output;
}

// Invariant 3: alone, anything fits.
bool fits_limit(std::int64_t limit, std::int64_t beside, std::int64_t wanted) {
  return limit == 0 || beside == 0 || (wanted <= limit && beside <= limit - wanted);
}

token_estimate without_negatives(const token_estimate& tokens) {
  constexpr std::int64_t most = std::int64_t{1} << 50U;  // sums of them fit
  return {std::clamp<std::int64_t>(tokens.input, 0, most), std::clamp<std::int64_t>(tokens.output, 0, most)};
}

}  // namespace

use_window::use_window(const provider_spec& limits)
    : requests_max_(limits.requests_per_minute),
      tokens_max_{limits.input_tokens_per_minute, limits.output_tokens_per_minute} {}

bool use_window::fits(const amount& beside, const token_estimate& wanted) const noexcept {
  return fits_limit(requests_max_, beside.requests, 1) &&
         fits_limit(tokens_max_.input, beside.tokens.input, wanted.input) &&
         fits_limit(tokens_max_.output, beside.tokens.output, wanted.output);
}

instant use_window::room_at(const token_estimate& wanted, instant now) {
  drop_old(now);
  const auto tokens = without_negatives(wanted);
  auto left = sum_;
  if (fits(left, tokens)) {
    return now;
  }
  for (const auto& each : entries_) {
    take_from(left, each.what);
    if (fits(left, tokens)) {
      return each.at + length;
    }
  }
  return now;
}

use_window::place use_window::reserve(const token_estimate& expected, instant now) {
  drop_old(now);
  add({1, without_negatives(expected)}, now);
  return first_ + entries_.size() - 1;
}

void use_window::settle(place where, const token_estimate& expected, const token_estimate& used, instant now) {
  const auto reserved = without_negatives(expected);
  const auto real = without_negatives(used);
  const token_estimate unused{std::max<std::int64_t>(reserved.input - real.input, 0),
                              std::max<std::int64_t>(reserved.output - real.output, 0)};
  drop_old(now);
  if (auto* const found = find(where)) {
    take_from(found->what, {0, unused});
    take_from(sum_, {0, unused});
  }
  const token_estimate beyond{std::max<std::int64_t>(real.input - reserved.input, 0),
                              std::max<std::int64_t>(real.output - reserved.output, 0)};
  if (beyond.input > 0 || beyond.output > 0) {
    add({0, beyond}, now);
  }
}

void use_window::give_back(place where, instant now) {
  drop_old(now);
  if (auto* const found = find(where)) {
    take_from(sum_, found->what);
    found->what = {};
  }
}

void use_window::restore(const token_estimate& used, instant at) { add({1, without_negatives(used)}, at); }

use_window::amount use_window::used(instant now) {
  drop_old(now);
  return sum_;
}

void use_window::drop_old(instant now) {
  while (!entries_.empty() && entries_.front().at + length <= now) {
    take_from(sum_, entries_.front().what);
    entries_.pop_front();
    ++first_;
  }
}

void use_window::add(const amount& what, instant at) {
  entries_.push_back({at, what});
  add_to(sum_, what);
}

use_window::entry* use_window::find(place where) {
  return where < first_ || where - first_ >= entries_.size() ? nullptr : &entries_[where - first_];
}

}  // namespace troupe
