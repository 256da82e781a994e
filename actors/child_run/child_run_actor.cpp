#include "actors/child_run/child_run_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/child_run/child_outcome.hpp"
#include "actors/child_run/child_run_id.hpp"
#include "actors/retry/retrying.hpp"
#include "actors/writer_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace troupe {
namespace {

// As an interface for itself: an agent's, and a subscriber's.
using follower = agent_actor::extend_with<event_subscriber>;

struct child_run_state {
  static inline const char* name = "child_run";

  child_run_deps deps;
  attempt_order order;
  run_actor parent;
  run_id child;
  event_seq since;  // of the child's events that are known
  std::optional<timestamp> began;
  std::optional<stop_attempt> stop;  // the first cause stands
  bool start_known = false;          // the attempt's row is committed
  bool child_began = false;          // the run supervisor has it
  bool was_waiting = false;          // for a person, when the attempt began
  bool over = false;                 // the outcome is on its way
};

using child_pointer = follower::stateful_pointer<child_run_state>;

constexpr milliseconds read_timeout{30'000};
constexpr milliseconds pause_before_asking{20};
// A child that has been told to end does, when its agents have. Should nobody carry it out any more, it ends with its
// parent: storage/children.hpp.
constexpr milliseconds slack_of_a_stop{10'000};
constexpr std::int64_t newest_events = 16;  // a pause, and what may stand behind it

log_place place_of(const attempt_order& order) { return {order.run, order.task.step, order.task.id, order.attempt}; }

void look(child_pointer self);
void begin_child(child_pointer self);
void follow(child_pointer self);

void again(child_pointer self, void (*what)(child_pointer)) {
  self->delayed_send(self, pause_before_asking, later{[=] {
                       if (!self->state.over) {
                         what(self);
                       }
                     }});
}

template <class Fact, class Then>
void tell_writer(child_pointer self, Fact fact, Then then) {
  auto& state = self->state;
  fact.run = state.order.run;
  fact.task = state.order.task.id;
  fact.attempt = state.order.attempt;
  if (fact.at == timestamp{}) {
    fact.at = state.deps.clock->now();
  }
  tell(self, state.deps.writer, std::move(fact), [=](const write_reply& reply) {
    if (reply) {
      then(*reply);
      return;
    }
    const auto& order = self->state.order;
    log_at(place_of(order), spdlog::level::warn, "the attempt cannot be recorded: {}", reply.error().message);
    self->send(self->state.parent, task_unrecorded{order.task.id, order.attempt, reply.error()});
    self->quit();
  });
}

void finish(child_pointer self, const task_outcome& outcome, bool waits_for_child) {
  auto& state = self->state;
  if (std::exchange(state.over, true)) {
    return;
  }
  finish_attempt fact;
  fact.outcome = outcome;
  const auto at = state.deps.clock->now();
  fact.at = at;
  tell_writer(self, std::move(fact), [=](const write_receipt& receipt) {
    const auto& own = self->state;
    task_finished told{own.order.task.id, own.order.attempt, outcome, own.began, at, permit_end::not_counted};
    told.waits_for_child = waits_for_child;
    told.over_budget = receipt.over_budget;
    self->send(own.parent, std::move(told));
    self->quit();
  });
}

// A failure may be tried again, by a child of its own.
void conclude(child_pointer self, task_outcome outcome) {
  const auto& state = self->state;
  finish(self, with_retry(state.order, std::move(outcome), state.began, state.deps.clock->now()), false);
}

void fail(child_pointer self, const error& why) {
  task_outcome outcome;
  outcome.state = task_state::failed;
  outcome.why = why;
  conclude(self, std::move(outcome));
}

void leave_child(child_pointer self, child_standing standing) {
  const bool waits = standing == child_standing::waiting_for_a_person;
  finish(self, left_child(self->state.child, waits), waits);
}

std::optional<stop_cause> cause_of(const child_run_state& state) {
  return state.stop ? std::optional{state.stop->cause} : std::nullopt;
}

// Nothing can be promised about it: its rows have no end, and may get one later.
void give_up(child_pointer self, const error& why) {
  auto& state = self->state;
  if (!std::exchange(state.over, true)) {
    log_at(place_of(state.order), spdlog::level::warn, "child run {} is lost: {}", state.child.str(), why.message);
    self->send(state.parent, task_unrecorded{state.order.task.id, state.order.attempt, why});
    self->quit();
  }
}

void cancel_child(child_pointer self) {
  auto& state = self->state;
  if (const auto runs = state.deps.runs.get()) {
    self->send(runs, cancel_run{state.child, state.stop->at_once});
  }
}

void ask_child_to_end(child_pointer self) {
  auto& state = self->state;
  cancel_child(self);
  const auto patience = state.order.limits.kill_grace + state.order.limits.drain_grace + slack_of_a_stop;
  self->delayed_send(self, patience, later{[=] {
                       conclude(self, outcome_without_child(self->state.child, self->state.stop->cause));
                     }});
}

void child_is_over(child_pointer self, const run_view& child) {
  const auto& state = self->state;
  if (child.parent_task != state.order.task.id) {
    fail(self,
         {error_code::idempotency_violation,
          "run " + child.run.str() + " has the name of the child run, and is another",
          "start the parent under another id"});
    return;
  }
  conclude(self, outcome_of(child, cause_of(state)));
}

// The child as its rows have it. One that is final has its result there.
void look(child_pointer self) {
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    again(self, look);
    return;
  }
  self->request(reader, read_timeout, run_query{self->state.child})
      .then(
          [=](const run_answer& found) {
            auto& state = self->state;
            if (state.over) {
              return;
            }
            if (found && is_final(found->state)) {
              child_is_over(self, *found);
            } else if (found) {
              state.since = found->last_seq;
              begin_child(self);
            } else if (found.error().code == error_code::not_found && state.stop) {
              conclude(self, outcome_without_child(state.child, state.stop->cause));
            } else if (found.error().code == error_code::not_found) {
              begin_child(self);
            } else if (found.error().code == error_code::backpressure) {
              again(self, look);
            } else {
              give_up(self, found.error());
            }
          },
          [=](caf::error&) { again(self, look); });
}

// Whether it waits for a person already, when it is older than this attempt.
void learn_standing(child_pointer self, const std::function<void()>& then) {
  const auto& state = self->state;
  const auto reader = state.deps.reader.get();
  if (state.since == event_seq{}) {
    then();
    return;
  }
  if (!reader) {
    again(self, begin_child);
    return;
  }
  const event_seq from{std::max<std::int64_t>(0, state.since.value() - newest_events)};
  self->request(reader, read_timeout, events_query{state.child, from, newest_events})
      .then(
          [=](const events_answer& found) {
            if (found) {
              self->state.was_waiting = standing_after(**found) == child_standing::waiting_for_a_person;
              then();
            } else if (found.error().code == error_code::backpressure) {
              again(self, begin_child);
            } else {
              give_up(self, found.error());
            }
          },
          [=](caf::error&) { again(self, begin_child); });
}

void child_has_begun(child_pointer self, const start_receipt& receipt) {
  auto& state = self->state;
  state.child_began = true;
  if (receipt.already_finished) {
    look(self);
    return;
  }
  if (state.stop) {
    ask_child_to_end(self);
  } else if (receipt.at_work && state.was_waiting) {  // it sleeps, and tells nothing
    leave_child(self, child_standing::waiting_for_a_person);
    return;
  }
  follow(self);
}

start_run order_for(const child_run_state& state) {
  start_run asked{state.order.child, *state.order.inputs, state.order.subject, state.child};
  asked.parent = state.order.run;
  asked.parent_task = state.order.task.id;
  asked.deadline_max = state.order.deadline;
  asked.budget = state.order.budget;
  return asked;
}

void ask_supervisor(child_pointer self) {
  const auto runs = self->state.deps.runs.get();
  if (!runs) {
    again(self, ask_supervisor);
    return;
  }
  self->request(runs, caf::infinite, order_for(self->state))
      .then(
          [=](const start_reply& reply) {
            if (self->state.over) {
              return;
            }
            if (reply) {
              child_has_begun(self, *reply);
            } else if (reply.error().code == error_code::cancelled) {  // it takes no more runs
              const auto cause = cause_of(self->state).value_or(stop_cause::interrupted);
              conclude(self, outcome_without_child(self->state.child, cause));
            } else if (worth_asking_again(reply.error().code)) {
              again(self, ask_supervisor);
            } else {
              fail(self, reply.error());
            }
          },
          [=](caf::error&) { again(self, ask_supervisor); });
}

void begin_child(child_pointer self) {
  learn_standing(self, [=] {
    if (!self->state.over) {
      ask_supervisor(self);
    }
  });
}

void follow(child_pointer self) {
  auto& state = self->state;
  if (const auto hub = state.deps.hub.get()) {
    self->monitor(hub);  // of a dead hub: a down message comes at once
    self->send(hub, subscribe_events{state.child, state.since, caf::actor_cast<event_subscriber>(self)});
  } else {
    again(self, follow);
  }
}

// What listeners of the parent see of it.
void show_progress(child_pointer self, const event_batch& events) {
  const auto& state = self->state;
  const auto newest = std::find_if(
      events.rbegin(), events.rend(), [](const event& each) { return each.kind == event_kind::task_started; });
  const auto hub = state.deps.hub.get();
  if (newest == events.rend() || !hub) {
    return;
  }
  const auto& task = state.order.task;
  self->send(hub,
             task_progress{state.order.run,
                           task.step,
                           task.id,
                           state.order.attempt,
                           task.agent,
                           newest->time,
                           state.child.str() + ": " + newest->step->str(),
                           0});
}

events_taken take(child_pointer self, const event_batch& events) {
  auto& state = self->state;
  state.since = events.back().seq;
  if (state.over) {
    return {};
  }
  show_progress(self, events);
  if (ends_run(events.back().kind)) {
    look(self);
    return {};
  }
  const auto standing = standing_after(events).value_or(child_standing::going_on);
  if (standing == child_standing::left && state.stop) {
    conclude(self, outcome_without_child(state.child, state.stop->cause));
  } else if (standing != child_standing::going_on && !state.stop) {
    leave_child(self, standing);
  }
  return {};
}

void stop(child_pointer self, const stop_attempt& request) {
  auto& state = self->state;
  if (state.over) {
    return;
  }
  const bool is_first = !state.stop;
  if (is_first) {
    state.stop = request;
  }
  state.stop->at_once = state.stop->at_once || request.at_once;
  if (state.stop->cause == stop_cause::interrupted) {
    if (state.start_known) {
      leave_child(self, child_standing::left);
    }
  } else if (state.child_began && is_first) {
    ask_child_to_end(self);
  } else if (state.child_began) {
    cancel_child(self);
  }
}

// The attempt's row is committed.
void started(child_pointer self) {
  auto& state = self->state;
  state.start_known = true;
  const auto& faults = state.deps.faults;
  if (state.order.refused) {
    fail(self, *state.order.refused);
  } else if (auto due = faults ? faults->take_for(state.order.task.id, state.order.attempt) : std::nullopt) {
    spdlog::warn("{} attempt {}: {}", state.order.task.id.str(), state.order.attempt.value(), due->message);
    fail(self, *due);
  } else if (state.stop && state.stop->cause == stop_cause::interrupted) {
    leave_child(self, child_standing::left);
  } else {
    look(self);
  }
}

void begin(child_pointer self) {
  auto& state = self->state;
  state.began = state.deps.clock->now();
  tell_writer(self, start_attempt{}, [=](const write_receipt&) { started(self); });
  if (const auto timeout = state.order.limits.timeout) {
    self->delayed_send(self, *timeout, later{[=] { stop(self, {stop_cause::timed_out, false}); }});
  }
}

void tell_attempt(const child_run_state& state, ping_view& into) {
  into.step = state.order.task.step;
  into.attempt = state.order.attempt;
}

void is_down(child_pointer self, const caf::down_msg& down) {
  if (down.source == self->state.parent.address()) {
    self->quit();
  } else {
    again(self, follow);  // the hub
  }
}

follower::behavior_type behave(child_pointer self, child_run_deps deps, attempt_order order, const run_actor& parent) {
  guard(
      self,
      "child run of " + order.task.id.str(),
      [self](ping_view& into) { tell_attempt(self->state, into); },
      place_of(order));
  auto& state = self->state;
  state.deps = std::move(deps);
  state.child = child_run_id(order.task.id, order.failures);
  state.order = std::move(order);
  state.parent = parent;
  self->monitor(parent);
  self->set_down_handler([=](const caf::down_msg& down) { is_down(self, down); });
  begin(self);
  return {
      [=](const stop_attempt& request) { stop(self, request); },
      [](const later& due) { due.act(); },
      [=](const event_batch_ptr& events) { return take(self, *events); },
      [](const task_progress&) {},
      [=](const run_stopped& stopped) { give_up(self, stopped.why); },
  };
}

}  // namespace

agent_actor spawn_child_run(caf::actor_system& system, child_run_deps deps, attempt_order order, run_actor parent) {
  return system.spawn(behave, std::move(deps), std::move(order), std::move(parent));
}

}  // namespace troupe
