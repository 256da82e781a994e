#include "actors/agent/attempt_session.hpp"

namespace troupe {

attempt_session::effects attempt_session::begun() {
  if (!bounds_.timeout) {
    return {};
  }
  return {arm{timer::deadline, *bounds_.timeout}};
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
      return exited_ ? effects{} : stop(stop_cause::timed_out, false);
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
