#include "messages/event.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {
namespace {

constexpr std::array<std::pair<event_kind, std::string_view>, 23> names{{
    {event_kind::run_started, "run.started"},
    {event_kind::run_paused, "run.paused"},
    {event_kind::run_resumed, "run.resumed"},
    {event_kind::run_completed, "run.completed"},
    {event_kind::run_failed, "run.failed"},
    {event_kind::run_cancelled, "run.cancelled"},
    {event_kind::superstep_committed, "superstep.committed"},
    {event_kind::task_queued, "task.queued"},
    {event_kind::task_started, "task.started"},
    {event_kind::task_retrying, "task.retrying"},
    {event_kind::task_completed, "task.completed"},
    {event_kind::task_failed, "task.failed"},
    {event_kind::task_cancelled, "task.cancelled"},
    {event_kind::task_interrupted, "task.interrupted"},
    {event_kind::consensus_reached, "consensus.reached"},
    {event_kind::gate_opened, "gate.opened"},
    {event_kind::gate_decided, "gate.decided"},
    {event_kind::backpressure_on, "backpressure.on"},
    {event_kind::backpressure_off, "backpressure.off"},
    {event_kind::budget_warned, "budget.warned"},
    {event_kind::cost_recorded, "cost.recorded"},
    {event_kind::checkpoint_saved, "checkpoint.saved"},
    {event_kind::config_reloaded, "config.reloaded"},
}};

}  // namespace

std::string_view to_string(event_kind kind) noexcept {
  const auto* found = std::ranges::find(names, kind, &decltype(names)::value_type::first);
  return found == names.end() ? std::string_view{"unknown"} : found->second;
}

std::optional<event_kind> event_kind_from(std::string_view name) noexcept {
  const auto* found = std::ranges::find(names, name, &decltype(names)::value_type::second);
  if (found == names.end()) {
    return std::nullopt;
  }
  return found->first;
}

}  // namespace troupe
