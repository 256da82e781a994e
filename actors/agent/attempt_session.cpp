#include "actors/agent/attempt_session.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr int looks_of_silence = 8;

}  // namespace

attempt_session::effects attempt_session::begun() {
  if (!bounds_.timeout) {
    return {};
  }
  return {arm{timer::deadline, *bounds_.timeout}};
}

attempt_session::effects attempt_session::started() {
  effects timers = silence_.idle ? arm_look() : effects{};
  if (silence_.first_output && !has_printed_) {
    timers.emplace_back(arm{timer::first_output, *silence_.first_output});
  }
  return timers;
}

void attempt_session::printed() noexcept {
  has_printed_ = true;
  printed_since_look_ = true;
}

attempt_session::effects attempt_session::arm_look() const {
  return {arm{timer::idle_look, std::max(*silence_.idle / looks_of_silence, milliseconds{1})}};
}

attempt_session::effects attempt_session::look_for_output() {
  if (stopping_ || killed_ || exited_) {
    return {};
  }
  const bool first_is_awaited = silence_.first_output && !has_printed_;
  if (printed_since_look_ || first_is_awaited) {
    printed_since_look_ = false;
    silent_looks_ = 0;
  } else if (++silent_looks_ >= looks_of_silence) {
    return overran(limit::idle);
  }
  return arm_look();
}

attempt_session::effects attempt_session::overran(limit which) {
  if (exited_) {
    return {};
  }
  if (!cause_ && !output_too_large_) {
    overrun_ = which;
  }
  return stop(stop_cause::timed_out, false);
}

attempt_session::effects attempt_session::end_gently() {
  if (stopping_ || killed_) {
    return {};
  }
  stopping_ = true;
  return {terminate{}, arm{timer::kill_grace, bounds_.kill_grace}};
}

attempt_session::effects attempt_session::stop(stop_cause cause, bool at_once) {
  if (!cause_ && !output_too_large_ && !exited_) {
    cause_ = cause;
  }
  if (!at_once) {
    return end_gently();
  }
  if (killed_) {
    return {};
  }
  killed_ = true;
  return {kill{}};
}

attempt_session::effects attempt_session::output_limit_reached() {
  if (!cause_) {
    output_too_large_ = true;
  }
  return end_gently();
}

attempt_session::effects attempt_session::exited() {
  exited_ = true;
  if (killed_) {
    return {};
  }
  return {arm{timer::drain_grace, bounds_.drain_grace}};
}

attempt_session::effects attempt_session::due(timer which) {
  switch (which) {
    case timer::deadline:
      return overran(limit::timeout);
    case timer::first_output:
      return has_printed_ ? effects{} : overran(limit::first_output);
    case timer::idle_look:
      return look_for_output();
    case timer::kill_grace:
    case timer::drain_grace:
      if (killed_) {
        return {};
      }
      killed_ = true;
      return {kill{}};
  }
  return {};
}

}  // namespace troupe
