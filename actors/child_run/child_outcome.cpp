#include "actors/child_run/child_outcome.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

task_outcome ended_as(task_state state, error why) {
  task_outcome outcome;
  outcome.state = state;
  outcome.why = std::move(why);
  return outcome;
}

std::string look_at(const run_id& child) { return "troupe show " + child.str(); }

task_outcome completed(const run_view& child) {
  task_outcome outcome;
  outcome.value = child.result;
  outcome.found_by = "child run";
  if (child.degraded) {
    outcome.why = error{error_code::quorum_not_met,
                        "child run " + child.run.str() + " is degraded: somebody was missing in it",
                        look_at(child.run)};
  }
  return outcome;
}

task_outcome stopped_for(const run_id& child, stop_cause cause) {
  switch (cause) {
    case stop_cause::cancelled:
    case stop_cause::lost_race:
      return ended_as(task_state::cancelled,
                      {error_code::cancelled, "child run " + child.str() + " was cancelled with its parent", ""});
    case stop_cause::timed_out:
      return ended_as(task_state::failed,
                      {error_code::task_timeout,
                       "child run " + child.str() + " was cancelled: it did not end within the time-out of the step",
                       "raise the step's timeout"});
    case stop_cause::too_late:
      return ended_as(task_state::failed,
                      {error_code::task_timeout,
                       "child run " + child.str() + " was cancelled: the step's deadline has passed",
                       "raise the step's deadline"});
    case stop_cause::interrupted:
      return left_child(child, false);
  }
  invariant(false, "every cause of a stop has an outcome");
  return {};
}

std::optional<child_standing> standing_of(const event& told) {
  if (told.kind == event_kind::run_resumed) {
    return child_standing::going_on;
  }
  const auto data = parse(told.data);
  const auto word_at = [&](std::string_view pointer) {
    const auto* found = find(data, pointer);
    return found == nullptr ? nullptr : found->if_string();
  };
  if (told.kind == event_kind::gate_decided) {
    const auto* state = word_at("/state");  // of a vote that was not enough, the gate is open still
    const bool is_open = state != nullptr && std::string_view{*state} == to_string(gate_state::open);
    return is_open ? std::nullopt : std::optional{child_standing::going_on};
  }
  if (told.kind != event_kind::run_paused) {
    return std::nullopt;
  }
  const auto* cause = word_at("/cause");
  if (cause == nullptr || std::string_view{*cause} == to_string(pause_cause::quota)) {
    return child_standing::going_on;  // by itself
  }
  const bool asks = std::string_view{*cause} == to_string(pause_cause::approval);
  return asks ? child_standing::waiting_for_a_person : child_standing::left;
}

}  // namespace

task_outcome outcome_of(const run_view& child, std::optional<stop_cause> stopped) {
  const bool only_late = !stopped || stopped == stop_cause::timed_out;
  if (child.state == run_state::completed && only_late) {
    return completed(child);
  }
  if (stopped) {
    return stopped_for(child.run, *stopped);
  }
  if (child.state == run_state::cancelled) {
    return ended_as(task_state::failed,
                    {error_code::cancelled, "child run " + child.run.str() + " was cancelled", look_at(child.run)});
  }
  auto why = child.why.value_or(error{error_code::internal, "it gives no reason", ""});
  why.message = "child run " + child.run.str() + " failed: " + why.message;
  why.hint = look_at(child.run);
  return ended_as(task_state::failed, std::move(why));
}

task_outcome outcome_without_child(const run_id& child, stop_cause stopped) { return stopped_for(child, stopped); }

task_outcome left_child(const run_id& child, bool waits_for_a_person) {
  return ended_as(task_state::interrupted,
                  {error_code::cancelled,
                   "child run " + child.str() +
                       (waits_for_a_person ? " waits for a person" : " was paused: the node is shutting down"),
                   waits_for_a_person ? look_at(child) : ""});
}

std::optional<child_standing> standing_after(const event_batch& events) {
  for (auto at = events.rbegin(); at != events.rend(); ++at) {
    if (const auto standing = standing_of(*at)) {
      return standing;
    }
  }
  return std::nullopt;
}

}  // namespace troupe
