#include "actors/run/run_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/writer_client.hpp"
#include "messages/base/invariant.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <map>
#include <optional>
#include <utility>

namespace troupe {
namespace {

struct live_agent {
  agent_actor handle;
  attempt_no attempt;
};

// Why the run begins nothing more. The first reason stands; a drain gives way to a cancel.
struct ending {
  enum class kind { cancel, time_limit, drain } is;
  bool at_once = false;
};

struct run_actor_state {
  static inline const char* name = "run";

  run_deps deps;
  run_id run;
  std::optional<plan> progress;
  std::map<task_id, live_agent> agents;
  std::map<task_id, int> bugs;  // attempts that died of one
  event_seq loaded_at;          // the newest event when the rows were read
  std::optional<ending> end;
  bool committing = false;  // a superstep or the end is on its way to disk
};

using run_pointer = run_actor::stateful_pointer<run_actor_state>;

constexpr milliseconds read_timeout{30'000};
constexpr milliseconds pause_before_reading{20};
constexpr int bugs_max = 3;

void step_on(run_pointer self);
void load(run_pointer self);

// The run cannot go on, and cannot say so in its rows either.
void stop_without_end(run_pointer self, const error& why) {
  auto& state = self->state;
  spdlog::error("run {} stops without an end: {}", state.run.str(), why.message);
  if (const auto hub = state.deps.hub.get()) {
    self->send(hub, run_stopped{state.run, why});
  }
  self->quit();  // its agents notice, and kill what they started
}

// Tells a fact of the run's own; `then` follows its commit.
template <class Fact>
void commit(run_pointer self, Fact fact, const std::function<void()>& then) {
  self->state.committing = true;
  fact.run = self->state.run;
  fact.at = self->state.deps.clock->now();
  tell(self, self->state.deps.writer, std::move(fact), [=](const write_reply& reply) {
    self->state.committing = false;
    if (reply) {
      then();
    } else if (reply.error().code == error_code::cancelled) {
      self->quit();  // the run has ended meanwhile; its rows say how
    } else {
      stop_without_end(self, reply.error());
    }
  });
}

void start_agent(run_pointer self, attempt_order order) {
  auto& state = self->state;
  const auto task = order.task.id;
  const auto attempt = order.attempt;
  const auto started = state.deps.spawn_agent(std::move(order), caf::actor_cast<run_actor>(self));
  self->monitor(started);
  state.agents[task] = {started, attempt};
}

void stop_agents(run_pointer self, stop_cause cause, bool at_once) {
  for (const auto& [task, live] : self->state.agents) {
    self->send(live.handle, stop_attempt{cause, at_once});
  }
}

void commit_superstep_of(run_pointer self) {
  auto closed = self->state.progress->close();
  commit(self, closed, [self, closed] {
    self->state.progress->committed(closed);
    if (closed.end) {
      self->quit();
    } else {
      step_on(self);
    }
  });
}

run_end end_for(const ending& why) {
  switch (why.is) {
    case ending::kind::cancel:
      return {run_state::cancelled, false, error{error_code::cancelled, "the run was cancelled", ""}, std::nullopt};
    case ending::kind::time_limit:
      return {run_state::failed,
              false,
              error{error_code::run_timeout, "the run used up its wall clock", "raise limits.wall_clock"},
              std::nullopt};
    case ending::kind::drain:
      return {run_state::paused, false, std::nullopt, std::nullopt};
  }
  invariant(false, "every kind of ending has an end");
  return {};
}

// Whatever just became true: go as far as possible from here.
void step_on(run_pointer self) {
  auto& state = self->state;
  if (!state.progress || state.committing) {
    return;
  }
  if (!state.end) {
    for (auto& order : state.progress->admit()) {
      start_agent(self, std::move(order));
    }
  }
  const bool may_close = !state.end || state.end->is == ending::kind::drain;
  if (may_close && state.progress->complete()) {
    commit_superstep_of(self);
  } else if (state.end && state.agents.empty()) {
    commit(self, end_run{{}, end_for(*state.end), state.loaded_at, {}}, [=] { self->quit(); });
  }
}

void finished(run_pointer self, const task_finished& fact) {
  auto& state = self->state;
  state.agents.erase(fact.task);
  if (fact.outcome.state == task_state::interrupted) {
    state.progress->put_back(fact.task);
  } else {
    state.progress->finished(fact.task, fact.outcome);
  }
  step_on(self);
}

void unrecorded(run_pointer self, const task_unrecorded& fact) {
  auto& state = self->state;
  state.agents.erase(fact.task);
  if (fact.why.code == error_code::cancelled && state.end) {
    step_on(self);
  } else {
    stop_without_end(self, fact.why);
  }
}

// Invariant 3.
void agent_died(run_pointer self, const task_id& task, attempt_no attempt) {
  const int count = ++self->state.bugs[task];
  const bool again = count < bugs_max;
  finish_attempt fact;
  fact.task = task;
  fact.attempt = attempt;
  fact.outcome.state = again ? task_state::interrupted : task_state::failed;
  fact.outcome.why = error{error_code::internal,
                           "the agent's actor died of a bug, " + std::to_string(count) + " time(s)",
                           "see the log, and please report it"};
  commit(self, fact, [=] { finished(self, {task, attempt, fact.outcome}); });
}

void agent_is_down(run_pointer self, const caf::down_msg& down) {
  auto& agents = self->state.agents;
  for (const auto& [task, live] : agents) {
    if (live.handle.address() == down.source) {
      agent_died(self, task_id{task}, live.attempt);
      return;
    }
  }
}

void request_end(run_pointer self, ending why) {
  auto& state = self->state;
  const bool first = !state.end || state.end->is == ending::kind::drain;
  if (first) {
    state.end = why;
  }
  const bool drain = state.end->is == ending::kind::drain;
  if (!drain || why.at_once) {
    stop_agents(self, drain ? stop_cause::interrupted : stop_cause::cancelled, why.at_once);
  } else {
    self->delayed_send(
        self, state.deps.drain_timeout, later{[=] { stop_agents(self, stop_cause::interrupted, false); }});
  }
  step_on(self);
}

void arm_deadline(run_pointer self, const recovery_view& rows) {
  if (!rows.deadline) {
    return;
  }
  const auto left = *rows.deadline - self->state.deps.clock->now();
  self->delayed_send(self, std::max<std::chrono::microseconds>(left, {}), later{[=] {
                       request_end(self, {ending::kind::time_limit, false});
                     }});
}

bool needs_resuming(const recovery_view& rows) {
  const auto left_over = [](const task_view& task) {
    return task.state == task_state::running || task.state == task_state::validating ||
           task.state == task_state::interrupted;
  };
  return rows.run.state == run_state::paused || std::ranges::any_of(rows.tasks, left_over);
}

void begin(run_pointer self, const recovery_view& rows) {
  auto& state = self->state;
  if (is_final(rows.run.state)) {
    self->quit();
    return;
  }
  if (needs_resuming(rows)) {
    commit(self, resume_run{{}, rows.run.last_seq, {}}, [=] { load(self); });
    return;
  }
  auto material = state.deps.read_material(rows);
  if (!material) {
    stop_without_end(self, material.error());
    return;
  }
  auto restored = plan::restore(material->flow, rows, material->with);
  if (!restored) {
    stop_without_end(self, restored.error());
    return;
  }
  state.progress = *std::move(restored);
  state.loaded_at = rows.run.last_seq;
  arm_deadline(self, rows);
  step_on(self);
}

void load(run_pointer self) {
  const auto again = [=] { self->delayed_send(self, pause_before_reading, later{[=] { load(self); }}); };
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    again();
    return;
  }
  self->request(reader, read_timeout, recovery_query{self->state.run})
      .then(
          [=](const recovery_answer& rows) {
            if (rows) {
              begin(self, *rows);
            } else if (rows.error().code == error_code::backpressure) {
              again();
            } else {
              stop_without_end(self, rows.error());
            }
          },
          [=](caf::error&) { again(); });
}

run_actor::behavior_type behave(run_pointer self, run_deps deps, run_id run) {
  guard(self, "run " + run.str());
  self->state.deps = std::move(deps);
  self->state.run = std::move(run);
  self->set_down_handler([=](const caf::down_msg& down) { agent_is_down(self, down); });
  load(self);
  return {
      [=](const cancel_run& request) {
        request_end(self, {ending::kind::cancel, request.at_once});
      },
      [=](const drain_runs& request) {
        request_end(self, {ending::kind::drain, request.at_once});
      },
      [=](const task_finished& fact) { finished(self, fact); },
      [=](const task_unrecorded& fact) { unrecorded(self, fact); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

run_actor spawn_run(caf::actor_system& system, run_deps deps, run_id run) {
  return system.spawn(behave, std::move(deps), std::move(run));
}

}  // namespace troupe
