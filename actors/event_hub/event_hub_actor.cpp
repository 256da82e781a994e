#include "actors/event_hub/event_hub_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/crash_orders.hpp"
#include "actors/event_hub/subscription.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <list>
#include <map>
#include <utility>
#include <vector>

namespace troupe {
namespace {

struct subscriber_entry {
  std::uint64_t id;
  run_id run;
  event_subscriber handle;
  subscription progress;
};

struct hub_state {
  static inline const char* name = "event_hub";
  event_hub_deps deps;
  std::map<std::uint64_t, subscriber_entry> subscribers;
  std::map<run_id, std::vector<std::uint64_t>> of_run;
  std::uint64_t next_id = 1;
};

using hub_pointer = event_hub::stateful_pointer<hub_state>;

constexpr milliseconds read_timeout{30'000};
constexpr milliseconds taken_timeout{300'000};
constexpr milliseconds pause_before_reading{50};

void carry_out(hub_pointer self, std::uint64_t id, const subscription::effect& effect);

void remove(hub_pointer self, std::uint64_t id) {
  auto& state = self->state;
  const auto found = state.subscribers.find(id);
  if (found == state.subscribers.end()) {
    return;
  }
  const auto listeners = state.of_run.find(found->second.run);
  std::erase(listeners->second, id);
  if (listeners->second.empty()) {
    state.of_run.erase(listeners);
  }
  state.subscribers.erase(found);
}

// Runs `step` on the subscription, if it is still there, and does what it asks for.
template <class Step>
void advance(hub_pointer self, std::uint64_t id, Step step) {
  const auto found = self->state.subscribers.find(id);
  if (found == self->state.subscribers.end()) {
    return;
  }
  const auto effect = step(found->second.progress);
  if (found->second.progress.over()) {
    remove(self, id);
    return;
  }
  carry_out(self, id, effect);
}

void read_table(hub_pointer self, std::uint64_t id, event_seq since) {
  const auto failed = [=] {
    self->delayed_send(self, pause_before_reading, later{[=] {
                         advance(self, id, [](subscription& of) { return of.read_failed(); });
                       }});
  };
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    failed();
    return;
  }
  const events_query query{self->state.subscribers.at(id).run, since};
  self->request(reader, read_timeout, query)
      .then(
          [=](events_answer& answer) {
            if (!answer) {
              log_at({query.run, {}, {}, {}},
                     spdlog::level::warn,
                     "the run's events cannot be read: {}",
                     answer.error().message);
              failed();
              return;
            }
            advance(self, id, [&](subscription& of) { return of.read(*answer); });
          },
          [=](caf::error&) { failed(); });
}

void send_batch(hub_pointer self, std::uint64_t id, const event_batch_ptr& events) {
  self->request(self->state.subscribers.at(id).handle, taken_timeout, events)
      .then([=](events_taken) { advance(self, id, [](subscription& of) { return of.taken(); }); },
            [=](caf::error& why) {
              if (why == caf::sec::request_timeout) {  // it still has the batch in its mailbox
                advance(self, id, [](subscription& of) { return of.taken(); });
              } else {
                remove(self, id);
              }
            });
}

void carry_out(hub_pointer self, std::uint64_t id, const subscription::effect& effect) {
  if (const auto* read = std::get_if<subscription::read_table>(&effect)) {
    read_table(self, id, read->since);
  } else if (const auto* send = std::get_if<subscription::send_batch>(&effect)) {
    send_batch(self, id, send->events);
  }
}

void subscribe(hub_pointer self, const subscribe_events& request) {
  auto& state = self->state;
  const auto id = state.next_id++;
  state.subscribers.emplace(id, subscriber_entry{id, request.run, request.subscriber, subscription{request.since}});
  state.of_run[request.run].push_back(id);
  self->monitor(request.subscriber);
  advance(self, id, [](subscription& of) { return of.joined(); });
}

bool ends_attempt(event_kind kind) {
  switch (kind) {
    case event_kind::task_completed:
    case event_kind::task_failed:
    case event_kind::task_cancelled:
    case event_kind::task_interrupted:
    case event_kind::task_retrying:
      return true;
    case event_kind::run_started:
    case event_kind::run_paused:
    case event_kind::run_resumed:
    case event_kind::run_completed:
    case event_kind::run_failed:
    case event_kind::run_cancelled:
    case event_kind::superstep_committed:
    case event_kind::task_queued:
    case event_kind::task_started:
    case event_kind::consensus_reached:
    case event_kind::gate_opened:
    case event_kind::gate_decided:
    case event_kind::backpressure_on:
    case event_kind::backpressure_off:
    case event_kind::budget_warned:
    case event_kind::cost_recorded:
    case event_kind::checkpoint_saved:
    case event_kind::config_reloaded:
      return false;
  }
  return false;
}

void reach_publish(const hub_state& state, const event_batch& events) {
  const auto& crashes = state.deps.crashes;
  if (!crashes || !crashes->any()) {
    return;
  }
  for (const auto& fact : events) {
    if (ends_attempt(fact.kind) && fact.task && fact.attempt) {
      crashes->reach(crash_point::in_publish, *fact.task, *fact.attempt);
    }
  }
}

void publish_to_run(hub_pointer self, const run_id& run, const event_batch_ptr& events) {
  const auto listeners = self->state.of_run.find(run);
  if (listeners == self->state.of_run.end()) {
    return;
  }
  for (const auto id : std::vector<std::uint64_t>{listeners->second}) {
    advance(self, id, [&](subscription& of) { return of.committed(events); });
    reach_publish(self->state, *events);
  }
}

// A batch of the writer holds events of many runs; each run's are contiguous once apart.
void publish(hub_pointer self, const event_batch_ptr& events) {
  std::map<run_id, std::shared_ptr<event_batch>> by_run;
  for (const auto& fact : *events) {
    if (self->state.of_run.contains(fact.run)) {
      auto& batch = by_run[fact.run];
      if (!batch) {
        batch = std::make_shared<event_batch>();
      }
      batch->push_back(fact);
    }
  }
  for (const auto& [run, batch] : by_run) {
    publish_to_run(self, run, batch);
  }
  reach_publish(self->state, *events);  // of runs that nobody listens to
}

template <class Each>
void for_each_listener(hub_pointer self, const run_id& run, Each each) {
  const auto listeners = self->state.of_run.find(run);
  if (listeners == self->state.of_run.end()) {
    return;
  }
  for (const auto id : listeners->second) {
    each(self->state.subscribers.at(id));
  }
}

void pass_on(hub_pointer self, const task_progress& progress) {
  for_each_listener(self, progress.run, [&](const subscriber_entry& entry) {
    if (entry.progress.idle()) {
      self->send(entry.handle, progress);
    }
  });
}

void forget(hub_pointer self, const caf::actor_addr& gone) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, entry] : self->state.subscribers) {
    if (entry.handle.address() == gone) {
      ids.push_back(id);
    }
  }
  for (const auto id : ids) {
    remove(self, id);
  }
}

event_hub::behavior_type behave(hub_pointer self, event_hub_deps deps) {
  guard(self, "event hub");
  self->state.deps = std::move(deps);
  self->set_down_handler([=](caf::down_msg& down) { forget(self, down.source); });
  return {
      [=](const subscribe_events& request) { subscribe(self, request); },
      [=](const event_batch_ptr& events) { publish(self, events); },
      [=](const task_progress& progress) { pass_on(self, progress); },
      [=](const run_stopped& stopped) {
        for_each_listener(self, stopped.run, [&](const subscriber_entry& entry) { self->send(entry.handle, stopped); });
      },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

event_hub spawn_event_hub(caf::actor_system& system, event_hub_deps deps) {
  return system.spawn(behave, std::move(deps));
}

}  // namespace troupe
