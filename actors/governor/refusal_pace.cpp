#include "actors/governor/refusal_pace.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr milliseconds first_pause{5'000};
constexpr milliseconds longest_own_pause{60'000};
constexpr milliseconds longest_pause{std::chrono::hours{24 * 366}};  // sums with it fit into any clock

// Twice what a refusal took, since the next may take longer. An API refuses within its latency; a program that tries
// again by itself for a while before it says so tells nothing of that.
constexpr milliseconds shortest_spacing{100};
constexpr milliseconds longest_spacing{1'000};

// Limits are by the minute: one that was met is met again within a few.
constexpr milliseconds wary_for{300'000};

}  // namespace

refusal_pace::refusal_pace(int concurrency_max) : concurrency_max_(concurrency_max), concurrency_(concurrency_max) {}

std::optional<instant> refusal_pace::room_at(instant now) const noexcept {
  if (is_probing_ && probe_) {
    return std::nullopt;
  }
  if (now < paused_until_) {
    return paused_until_;
  }
  if (!is_probing_ && concurrency_ > 0 && running_ >= concurrency_) {
    return std::nullopt;
  }
  return now < wary_until_ ? std::max(now, last_begin_ + spacing_) : now;
}

refusal_pace::ticket refusal_pace::begin(instant now) {
  ++running_;
  last_begin_ = now;
  ++begun_;
  if (is_probing_) {
    probe_ = begun_;
  }
  return begun_;
}

void refusal_pace::succeeded(ticket of) {
  end(of);
  if (of <= refused_at_) {
    return;
  }
  refusals_ = 0;
  is_probing_ = false;
  if (concurrency_ > 0 && ++successes_ >= concurrency_) {
    successes_ = 0;
    concurrency_ += concurrency_max_ == 0 || concurrency_ < concurrency_max_ ? 1 : 0;
  }
}

void refusal_pace::refused(ticket of, instant began, std::optional<milliseconds> retry_after, instant now) {
  const int in_flight = running_;
  end(of);
  const bool is_new = of > refused_at_;
  if (is_new) {
    concurrency_ = std::max(in_flight / 2, 1);
    refused_at_ = begun_;
    successes_ = 0;
    refusals_ = std::min(refusals_ + 1, 10);
  }
  is_probing_ = true;
  const auto own = std::min(first_pause * (1 << (std::max(refusals_, 1) - 1)), longest_own_pause);
  const auto pause = std::clamp(retry_after.value_or(own), milliseconds{0}, longest_pause);
  paused_until_ = is_new ? now + pause : std::max(paused_until_, now + pause);
  const std::chrono::nanoseconds longest = now < wary_until_ ? spacing_ : shortest_spacing;
  spacing_ = std::clamp<std::chrono::nanoseconds>(2 * (now - began), longest, longest_spacing);
  wary_until_ = now + pause + wary_for;
}

void refusal_pace::ended_otherwise(ticket of) { end(of); }

void refusal_pace::end(ticket of) {
  running_ -= 1;
  if (probe_ == of) {
    probe_.reset();
  }
}

std::optional<instant> refusal_pace::paused_until(instant now) const noexcept {
  return now < paused_until_ ? std::optional{paused_until_} : std::nullopt;
}

}  // namespace troupe
