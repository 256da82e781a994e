#include "actors/retry_scheduler/retry_scheduler_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/retry_scheduler/wait_list.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace troupe {
namespace {

using due_promise = caf::typed_response_promise<came_due>;

struct scheduler_state {
  static inline const char* name = "retry_scheduler";

  retry_scheduler_deps deps;
  wait_list list;
  std::unordered_map<wait_list::waiter, due_promise> promises;
  wait_list::waiter newest = 0;
  std::optional<timestamp> armed;  // when the timer comes, at the latest
  std::uint64_t timer = 0;         // an older one that comes is none

  scheduler_state() = default;
  scheduler_state(const scheduler_state&) = delete;
  scheduler_state& operator=(const scheduler_state&) = delete;

  // Invariant 3: a promise that is dropped would never be answered.
  ~scheduler_state() {
    for (auto& [who, promise] : promises) {
      promise.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
  }
};

using scheduler_pointer = retry_scheduler::stateful_pointer<scheduler_state>;

void wake(scheduler_pointer self);

// Invariant 4.
void arm(scheduler_pointer self) {
  auto& state = self->state;
  const auto next = state.list.next();
  if (!next) {
    state.armed.reset();
    ++state.timer;
    return;
  }
  const auto now = state.deps.clock->now();
  const auto at = std::min(*next, now + state.deps.longest_sleep);
  if (state.armed && *state.armed <= at && *state.armed > now) {
    return;
  }
  state.armed = at;
  const auto number = ++state.timer;
  const auto pause = std::max(std::chrono::ceil<milliseconds>(at - now), milliseconds{0});
  self->delayed_send(self, pause, later{[=] {
                       if (number == self->state.timer) {
                         wake(self);
                       }
                     }});
}

void wake(scheduler_pointer self) {
  auto& state = self->state;
  state.armed.reset();
  for (const auto who : state.list.take_due(state.deps.clock->now())) {
    state.promises.extract(who).mapped().deliver(came_due{});
  }
  arm(self);
}

void forget(scheduler_pointer self, const run_id& run, const std::string& key) {
  for (const auto who : self->state.list.forget(run, key)) {
    self->state.promises.erase(who);
  }
  arm(self);
}

caf::result<came_due> wait(scheduler_pointer self, const await_due& asked) {
  auto& state = self->state;
  if (asked.due <= state.deps.clock->now()) {
    forget(self, asked.run, asked.key);
    return came_due{};
  }
  auto promise = self->make_response_promise<came_due>();
  const auto who = ++state.newest;
  if (const auto replaced = state.list.add(asked.run, asked.key, asked.due, who)) {
    state.promises.erase(*replaced);
  }
  state.promises.emplace(who, promise);
  arm(self);
  return promise;
}

waits_view view(scheduler_pointer self) {
  const auto& list = self->state.list;
  return {static_cast<std::int64_t>(list.size()), list.earliest(waits_view::listed_max)};
}

retry_scheduler::behavior_type behave(scheduler_pointer self, retry_scheduler_deps deps) {
  guard(self, "retry scheduler");
  self->state.deps = std::move(deps);
  return {
      [=](const await_due& asked) { return wait(self, asked); },
      [=](const forget_due& what) { forget(self, what.run, what.key); },
      [=](waits_query) { return view(self); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

retry_scheduler spawn_retry_scheduler(caf::actor_system& system, retry_scheduler_deps deps) {
  return system.spawn(behave, std::move(deps));
}

}  // namespace troupe
