#include "actors/event_listener/event_listener_actor.hpp"

#include "actors/actor_guard.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe {
namespace {

// As an interface for itself: the subscriber's, and a timer.
using listener = event_subscriber::extend<caf::reacts_to<later>>;

struct listener_state {
  static inline const char* name = "event_listener";
  event_listener_deps deps;
  event_subscriber itself;  // an actor that nobody holds is gone, and the hub, which holds this one, may die
};

using listener_pointer = listener::stateful_pointer<listener_state>;

constexpr milliseconds pause_before_subscribing{10};

void subscribe(listener_pointer self) {
  auto& deps = self->state.deps;
  if (const auto hub = deps.hub.get()) {
    self->monitor(hub);  // of a dead hub: a down message comes at once
    self->send(hub, subscribe_events{deps.run, deps.since, caf::actor_cast<event_subscriber>(self)});
  } else {
    self->delayed_send(self, pause_before_subscribing, later{[=] { subscribe(self); }});
  }
}

events_taken take(listener_pointer self, const event_batch& events) {
  auto& deps = self->state.deps;
  deps.since = events.back().seq;
  if (deps.events) {
    deps.events(events);
  }
  if (ends_run(events.back().kind)) {
    self->quit();
  }
  return {};
}

listener::behavior_type behave(listener_pointer self, event_listener_deps deps) {
  guard(self, "event listener");
  self->state.deps = std::move(deps);
  self->state.itself = caf::actor_cast<event_subscriber>(self);
  self->set_down_handler(
      [=](caf::down_msg&) { self->delayed_send(self, pause_before_subscribing, later{[=] { subscribe(self); }}); });
  subscribe(self);
  return {
      [=](const event_batch_ptr& events) { return take(self, *events); },
      [=](const task_progress& progress) {
        if (self->state.deps.progress) {
          self->state.deps.progress(progress);
        }
      },
      [=](const run_stopped& stopped) {
        if (self->state.deps.stopped) {
          self->state.deps.stopped(stopped.why);
        }
        self->quit();
      },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

event_subscriber spawn_event_listener(caf::actor_system& system, event_listener_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
