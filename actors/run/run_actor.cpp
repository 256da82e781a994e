#include "actors/run/run_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/run/attempts.hpp"
#include "actors/run/run_facts.hpp"
#include "actors/run/run_gates.hpp"
#include "actors/run/run_state.hpp"
#include "actors/writer_client.hpp"
#include "messages/base/invariant.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr int bugs_max = 3;

void load(run_pointer self);

bool is_sleep(ending::kind is) { return is == ending::kind::quota || is == ending::kind::approval; }

bool is_pause(ending::kind is) { return is_sleep(is) || is == ending::kind::drain; }

void commit_superstep_of(run_pointer self) {
  const auto closed = std::make_shared<commit_superstep>(self->state.progress->close());
  closed->at = self->state.deps.clock->now();  // from which the gates that it opens have their time
  commit(self, *closed, [self, closed] {
    self->state.progress->committed(*closed);
    if (closed->end) {
      leave(self);
    } else {
      await_gates(self);
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
    case ending::kind::quota:
      return {run_state::paused, false, why.why, std::nullopt, why.until, pause_cause::quota};
    case ending::kind::budget:
      return {run_state::failed, false, why.why, std::nullopt};
    case ending::kind::approval:
      return {run_state::paused, false, std::nullopt, std::nullopt, std::nullopt, pause_cause::approval};
  }
  invariant(false, "every kind of ending has an end");
  return {};
}

// `committed` is in the rows. A sleep is no end: they say what it waits for. Nor is a pause during whose commit somebody
// has asked for an end, or decided: the next reading of the rows leads to it.
void ended(run_pointer self, ending::kind committed) {
  auto& state = self->state;
  const bool asked_for_more = state.end->is != committed;
  const bool drained = state.end->is == ending::kind::drain;  // whatever it is paused for, it is paused
  const bool moved = committed == ending::kind::approval && (state.gates_stale || !state.progress->waiting());
  if (is_sleep(state.end->is)) {
    state.end.reset();
  }
  if (!is_pause(committed) || drained) {
    leave(self);
  } else if (committed == ending::kind::approval && !asked_for_more && !moved) {
    wait_for_people(self);
  } else {
    load(self);
  }
}

void try_again_at(run_pointer self, const task_id& task, timestamp due) {
  await(self, task.str(), due, [=] {
    if (self->state.progress) {
      self->state.progress->due(task);
      step_on(self);
    }
  });
}

void request_end(run_pointer self, const ending& why);

void finished(run_pointer self, const task_finished& fact) {
  auto& state = self->state;
  if (const auto attempt = take_attempt(self, fact.task)) {
    const auto& usage = fact.outcome.usage;
    give_back(self,
              *attempt,
              {{},
               fact.how,
               usage ? std::optional{token_estimate{usage->input_tokens, usage->output_tokens}} : std::nullopt,
               fact.retry_after});
  }
  state.progress->finished(fact.task, fact.outcome, fact.began, fact.at);
  if (state.moved.erase(fact.task) == 0 && fact.waits_for_child) {
    state.progress->blocked(fact.task);
  }
  if (fact.outcome.retry) {
    try_again_at(self, fact.task, fact.outcome.retry->due);
  }
  if (fact.over_budget) {
    request_end(self, {ending::kind::budget, false, {}, fact.over_budget});
  } else {
    step_on(self);
  }
}

// A fact came too late. Where the run has an end on its way, that is why, and it cancels the task with all others that are
// left; else the rows may have one that nobody told it: that of the run whose child it is.
void came_too_late(run_pointer self, const error& why) {
  if (self->state.end) {
    step_on(self);
    return;
  }
  read_rows(self, [=](const recovery_view& rows) {
    if (is_final(rows.run.state)) {
      leave(self);
    } else {
      stop_without_end(self, why);
    }
  });
}

void unrecorded(run_pointer self, const task_unrecorded& fact) {
  auto& state = self->state;
  const auto attempt = take_attempt(self, fact.task);
  if (attempt) {
    give_back(self, *attempt, {{}, permit_end::not_counted, {}, {}});
  }
  if (fact.why.code == error_code::cancelled) {
    if (attempt) {
      state.progress->hold(fact.task);
    }
    came_too_late(self, fact.why);
  } else if (fact.why.code == error_code::budget_exceeded) {  // it has not begun, and nothing else may
    state.progress->hold(fact.task);
    request_end(self, {ending::kind::budget, false, {}, fact.why});
  } else {
    stop_without_end(self, fact.why);
  }
}

// An agent that died before its start was recorded has left no attempt: the next one has the same number.
void begin_anew(run_pointer self, const task_id& task) {
  if (const auto attempt = take_attempt(self, task)) {
    give_back(self, *attempt, {{}, permit_end::not_counted, {}, {}});
    self->state.progress->hold(task);
    self->state.progress->due(task);
  }
  step_on(self);
}

// An agent that died between the commit of its end and the message that tells of it: the rows have the end.
void learn_end(run_pointer self, const task_id& task, attempt_no attempt) {
  read_rows(self, [=](const recovery_view& rows) {
    const auto row = std::ranges::find(rows.tasks, task, &task_view::task);
    if (row == rows.tasks.end()) {
      stop_without_end(self, {error_code::internal, "the run's rows have no task " + task.str(), "see the log"});
    } else {
      task_finished fact{task, attempt, outcome_of(*row), row->first_started};
      fact.at = row->finished_at;
      fact.how = permit_end::not_counted;
      finished(self, fact);
    }
  });
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
  const auto over = [=] {
    finished(self, {task, attempt, fact.outcome, std::nullopt, std::nullopt, permit_end::not_counted});
  };
  const auto refused = [=](const error& why) {
    if (why.code == error_code::idempotency_violation) {
      learn_end(self, task, attempt);
      return true;
    }
    const bool never_began = again && why.code == error_code::internal;
    if (never_began) {
      begin_anew(self, task);
    }
    return never_began;
  };
  commit(self, fact, over, refused);
}

void agent_is_down(run_pointer self, const caf::down_msg& down) {
  for (const auto& [task, attempt] : self->state.attempts) {
    if (attempt.agent && attempt.agent.address() == down.source) {
      agent_died(self, task_id{task}, attempt.number);
      return;
    }
  }
}

void request_end(run_pointer self, const ending& why) {
  auto& state = self->state;
  if (!state.end || is_pause(state.end->is)) {
    state.end = why;
  }
  if (state.asleep) {
    end_asleep(self);
    return;
  }
  const bool drain = state.end->is == ending::kind::drain;
  if (!drain || why.at_once) {
    stop_attempts(self, drain ? stop_cause::interrupted : stop_cause::cancelled, why.at_once);
  } else {
    withdraw_attempts(self);
    self->delayed_send(
        self, state.deps.drain_timeout, later{[=] { stop_attempts(self, stop_cause::interrupted, false); }});
  }
  step_on(self);
}

void arm_deadline(run_pointer self, const recovery_view& rows) {
  if (!rows.deadline || std::exchange(self->state.deadline_awaited, true)) {
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

// Paused for a quota: the rows say until when.
void sleep(run_pointer self, const recovery_view& rows) {
  auto& state = self->state;
  state.asleep = true;
  state.asked.clear();
  if (state.end) {
    end_asleep(self);
    return;
  }
  arm_deadline(self, rows);
  await(self, "quota", *rows.paused_until, [=] {
    if (self->state.asleep && !self->state.end) {
      call(self);
    }
  });
}

// A child run that the task waited for has ended, or goes on. It may not yet be known here that it waited.
void child_has_moved(run_pointer self, const task_id& task) {
  auto& state = self->state;
  if (state.asleep) {
    call(self);
  } else if (state.progress && !state.attempts.contains(task)) {
    state.progress->unblocked(task);
    step_on(self);
  } else {
    state.moved.insert(task);
  }
}

// Until they are read, there is no plan that anything could move on.
void load(run_pointer self) {
  self->state.progress.reset();
  read_rows(self, [=](const recovery_view& rows) { begin(self, rows); });
}

// Invariant 5.
void wait_for_former(run_pointer self) {
  auto& state = self->state;
  state.former = state.deps.kin.members(state.run);
  state.reborn = !state.former.empty();
  state.deps.kin.add(state.run, self->address());
  std::erase_if(state.former, [&](const caf::actor_addr& each) {
    const auto alive = caf::actor_cast<caf::strong_actor_ptr>(each);
    if (alive) {
      self->monitor(alive);  // of one that dies meanwhile: a down message comes at once
    } else {
      state.deps.kin.leave(state.run, each);
    }
    return !alive;
  });
  if (state.former.empty()) {
    load(self);
  }
}

void is_down(run_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  if (state.former.empty()) {
    agent_is_down(self, down);
  } else if (std::erase(state.former, down.source) > 0) {
    state.deps.kin.leave(state.run, down.source);
    if (state.former.empty()) {
      load(self);
    }
  }
}

void tell_agents(const run_actor_state& state, ping_view& into) {
  for (const auto& [task, attempt] : state.attempts) {
    if (attempt.agent) {
      child_view facts;
      facts.name = "agent " + task.str();
      into.children.push_back({std::move(facts), attempt.agent.address()});
    }
  }
}

run_actor::behavior_type behave(run_pointer self, run_deps deps, run_id run) {
  guard(self, "run " + run.str(), [self](ping_view& into) { tell_agents(self->state, into); }, {run, {}, {}, {}});
  self->state.deps = std::move(deps);
  self->state.run = std::move(run);
  self->set_down_handler([=](const caf::down_msg& down) { is_down(self, down); });
  wait_for_former(self);
  return {
      [=](const cancel_run& request) {
        request_end(self, {ending::kind::cancel, request.at_once});
      },
      [=](const drain_runs& request) {
        request_end(self, {ending::kind::drain, request.at_once});
      },
      [=](const decide_gate& decision) { return decide(self, decision); },
      [=](const task_finished& fact) { finished(self, fact); },
      [=](const task_unrecorded& fact) { unrecorded(self, fact); },
      [=](const child_moved& fact) { child_has_moved(self, fact.task); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

// Whatever just became true: go as far as possible from here.
void step_on(run_pointer self) {
  auto& state = self->state;
  if (!state.progress || state.committing > 0) {
    return;
  }
  if (state.gates_stale) {
    learn_gates(self);
    return;
  }
  if (!state.end) {
    admit_attempts(self, [=] { step_on(self); });
  }
  stop_pointless_attempts(self);
  if (auto questions = state.progress->take_questions(); !questions.empty()) {
    ask_people(self, std::move(questions));
    return;
  }
  if (!state.end && state.progress->waiting() && !expires_now(state)) {
    state.end = ending{ending::kind::approval};
  }
  const bool may_close = !state.end || is_pause(state.end->is);
  if (may_close && state.progress->complete()) {
    commit_superstep_of(self);
  } else if (state.end && state.attempts.empty()) {
    const auto is = state.end->is;
    commit(self, end_run{{}, end_for(*state.end), state.loaded_at, {}}, [=] { ended(self, is); });
  } else if (!state.end && state.progress->may_admit()) {  // what was stopped has made room
    step_on(self);
  }
}

// Asleep, it has nothing to stop; a drain leaves it as it stands. What is read, or on its way to disk, leads here again.
void end_asleep(run_pointer self) {
  auto& state = self->state;
  if (state.looking || state.committing > 0) {
    return;
  }
  if (state.end->is == ending::kind::drain) {
    leave(self);
  } else {
    commit(self, end_run{{}, end_for(*state.end), state.loaded_at, {}}, [=] { leave(self); });
  }
}

void begin(run_pointer self, const recovery_view& rows) {
  auto& state = self->state;
  state.woken = state.woken || (state.asleep && !rows.paused_until);
  state.asleep = false;
  state.loaded_at = rows.run.last_seq;
  if (rows.run.parent && rows.run.parent_task) {
    state.parent = child_moved{*rows.run.parent, *rows.run.parent_task};
  }
  if (is_final(rows.run.state)) {
    leave(self);
    return;
  }
  if (rows.run.state == run_state::paused && rows.paused_until && *rows.paused_until > state.deps.clock->now()) {
    sleep(self, rows);
    return;
  }
  if (state.reborn || needs_resuming(rows)) {
    commit(self, resume_run{{}, rows.run.last_seq, {}}, [=] {
      self->state.reborn = false;
      load(self);
    });
    return;
  }
  if (std::exchange(state.woken, false)) {
    tell_parent(self);
  }
  state.moved.clear();
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
  for (const auto& waiting : state.progress->retries()) {
    try_again_at(self, waiting.task, waiting.due);
  }
  arm_deadline(self, rows);
  await_gates(self);
  if (rows.over_budget) {  // known when the process that carried the run out ended
    request_end(self, {ending::kind::budget, false, {}, rows.over_budget});
  } else {
    step_on(self);
  }
}

run_actor spawn_run(caf::actor_system& system, run_deps deps, run_id run) {
  return system.spawn(behave, std::move(deps), std::move(run));
}

}  // namespace troupe
