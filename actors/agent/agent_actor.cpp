#include "actors/agent/agent_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/agent/http_call.hpp"
#include "actors/agent/judgement.hpp"
#include "actors/agent/launch.hpp"
#include "actors/agent/liveness.hpp"
#include "actors/agent/pricing.hpp"
#include "actors/agent/request_hash.hpp"
#include "actors/retry/retrying.hpp"
#include "actors/writer_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <functional>
#include <utility>

namespace troupe {
namespace {

struct agent_state {
  static inline const char* name = "agent";

  agent_deps deps;
  attempt_order order;
  run_actor run;
  std::optional<attempt_session> session;
  process_handle process = 0;
  std::int64_t pid = 0;  // of the process, while it runs
  function_handle call = 0;
  std::optional<http_call> exchange;
  std::string prompt_file;
  std::optional<timestamp> began;
  std::string last_line;  // and the bytes so far, to be told again with a silence
  std::int64_t bytes = 0;
  std::optional<process_silence> silence;
  bool reserving = false;                // nothing has started yet
  std::optional<stop_attempt> too_soon;  // asked for meanwhile
  bool start_told = false;
  bool start_known = false;            // the attempt's row is committed
  bool is_begun = true;                // false while it waits for that
  bool is_ordered = false;             // its failure, by the fault plan: all else goes as if it had run
  bool is_played = false;              // its end, by a cassette
  std::optional<attempt_end> to_play;  // once it is stopped
  bool is_final = false;               // no retry, as it was recorded
  std::optional<attempt_end> end;
  permit_end how = permit_end::not_counted;
  std::optional<milliseconds> retry_after;

  agent_state() = default;
  agent_state(const agent_state&) = delete;
  agent_state& operator=(const agent_state&) = delete;

  // Invariant 3. A process that has ended is ignored by its port.
  ~agent_state() {
    if (process != 0) {
      deps.processes->kill(process);
    }
    if (call != 0) {
      deps.functions->stop(call);
    }
    if (!prompt_file.empty()) {
      deps.prompt_files->remove(prompt_file);
    }
  }
};

log_place place_of(const attempt_order& order) { return {order.run, order.task.step, order.task.id, order.attempt}; }

using agent_pointer = agent_actor::stateful_pointer<agent_state>;

// What the executor's threads call, so that it happens on the actor. Keeps the actor alive while the process runs.
template <class Act>
auto on_actor(agent_pointer self, Act act) {
  return [self, handle = caf::actor_cast<agent_actor>(self), act](auto... told) {
    caf::anon_send(handle, later{[self, act, told...] { act(self, told...); }});
  };
}

void due(agent_pointer self, attempt_session::timer which);
void end_played(agent_pointer self);
void ended(agent_pointer self, attempt_end end);

void carry_out(agent_pointer self, const attempt_session::effects& effects) {
  auto& state = self->state;
  for (const auto& effect : effects) {
    if (const auto* timer = std::get_if<attempt_session::arm>(&effect)) {
      self->delayed_send(self, timer->after, later{[self, which = timer->which] { due(self, which); }});
    } else if (state.is_played) {
      end_played(self);
    } else if (!state.is_begun) {
      ended(self, end_of(error{error_code::cancelled, "the attempt was stopped before it began", ""}));
    } else if (state.call != 0) {
      state.deps.functions->stop(state.call);
    } else if (state.exchange) {
      state.exchange->stop();
    } else if (std::holds_alternative<attempt_session::terminate>(effect)) {
      state.deps.processes->terminate(state.process);
    } else {
      state.deps.processes->kill(state.process);
    }
  }
}

void due(agent_pointer self, attempt_session::timer which) {
  if (!self->state.end) {
    carry_out(self, self->state.session->due(which));
  }
}

// The database did not take a fact of this attempt: nothing more can be promised about it.
void give_up(agent_pointer self, const error& why) {
  const auto& order = self->state.order;
  log_at(place_of(order), spdlog::level::warn, "the attempt cannot be recorded: {}", why.message);
  self->send(self->state.run, task_unrecorded{order.task.id, order.attempt, why});
  self->quit();
}

void report(agent_pointer self, task_outcome outcome, timestamp at, std::optional<error> over_budget) {
  const auto& order = self->state.order;
  self->send(self->state.run,
             task_finished{order.task.id,
                           order.attempt,
                           std::move(outcome),
                           self->state.began,
                           at,
                           self->state.how,
                           self->state.retry_after,
                           false,
                           std::move(over_budget)});
  self->quit();
}

template <class Fact, class Then>
void tell_writer(agent_pointer self, Fact fact, Then then) {
  const auto& order = self->state.order;
  fact.run = order.run;
  fact.task = order.task.id;
  fact.attempt = order.attempt;
  if (fact.at == timestamp{}) {
    fact.at = self->state.deps.clock->now();
  }
  tell(self, self->state.deps.writer, std::move(fact), [=](const write_reply& reply) {
    if (reply) {
      then(*reply);
    } else {
      give_up(self, reply.error());
    }
  });
}

// Without prices nobody asked what anything costs.
void warn_of_unknown_model(const attempt_order& order, const attempt_cost& cost) {
  if (cost.source == cost_source::unknown && order.prices && !order.prices->empty()) {
    log_at(place_of(order),
           spdlog::level::warn,
           "{}: there is no price for the model '{}', so that the cost of this attempt is unknown; add [prices.\"{}\"]",
           to_string(error_code::unknown_model),
           cost.model,
           cost.model);
  }
}

// As it was before anything decided on a retry.
std::optional<recorded_answer> answer_for_recorder(const agent_state& state, const task_outcome& outcome) {
  return state.deps.recorder && !state.is_ordered ? answer_to_keep(state.order, *state.session, *state.end, outcome)
                                                  : std::nullopt;
}

void conclude(agent_pointer self) {
  auto& state = self->state;
  auto outcome = judge(state.order, *state.session, *state.end);
  if (outcome.usage) {
    outcome.usage = bounded(*std::move(outcome.usage));
  }
  // What never began says nothing about its provider: it closes no breaker and ends no pause.
  const bool asked_somebody = (state.end->ran || state.is_ordered) && !state.is_played;
  state.how = asked_somebody ? permit_end_of(outcome) : permit_end::not_counted;
  state.retry_after = outcome.why ? outcome.why->retry_after : std::nullopt;
  const auto answer = answer_for_recorder(state, outcome);
  const bool may_be_retried = !state.session->cause() || state.session->cause() == stop_cause::timed_out;
  if (may_be_retried && !state.is_final) {
    outcome = with_retry(state.order, std::move(outcome), state.began, state.deps.clock->now());
  }
  const bool was_stopped = state.session->cause().has_value() || state.session->output_too_large();
  if (state.is_played) {  // it was used and paid when it was recorded
    outcome.usage.reset();
  } else {
    outcome.cost =
        cost_of(state.order, outcome, contact_of(outcome, state.end->ran && state.began.has_value(), was_stopped));
  }
  if (outcome.cost) {
    warn_of_unknown_model(state.order, *outcome.cost);
  }
  if (state.began) {
    outcome.took = std::max(state.deps.clock->now() - *state.began, 0us);  // a clock may be set back
  }
  finish_attempt fact;
  fact.outcome = outcome;
  const auto at = state.deps.clock->now();
  fact.at = at;
  tell_writer(self, std::move(fact), [=](const write_receipt& receipt) {
    if (answer) {  // a recording is of what was committed, and of nothing else
      self->state.deps.recorder->record(self->state.order, *answer);
    }
    report(self, outcome, at, receipt.over_budget);
  });
}

void record(agent_pointer self) {
  auto& state = self->state;
  if (!state.end->ran) {  // nothing was printed, and nothing can be recorded of it
    conclude(self);
    return;
  }
  record_output fact;
  fact.exit = state.end->exit;
  fact.standard_output = state.end->standard_output;
  fact.standard_error = state.end->standard_error;
  fact.standard_output_bytes = state.end->standard_output_bytes;
  fact.standard_error_bytes = state.end->standard_error_bytes;
  tell_writer(self, std::move(fact), [=](const write_receipt&) { conclude(self); });
}

// Where the start has been told ahead, its row knows no process.
void tell_start(agent_pointer self, process_identity process, const std::function<void()>& then = {}) {
  auto& state = self->state;
  state.pid = process.pid;
  if (std::exchange(state.start_told, true)) {
    return;
  }
  start_attempt fact;
  fact.pid = process.pid;
  fact.pid_start_time = process.start_time;
  fact.provider = provider_name{state.order.spec.provider};
  fact.estimate = state.order.estimate;
  fact.request_hash = request_hash(state.order);
  state.began = state.deps.clock->now();
  tell_writer(self, fact, [=](const write_receipt&) {
    self->state.start_known = true;
    if (self->state.end) {
      record(self);
    } else if (then) {
      then();
    }
  });
}

void ended(agent_pointer self, attempt_end end) {
  auto& state = self->state;
  state.end = std::move(end);
  state.end->silence = state.silence;
  state.process = 0;
  state.pid = 0;
  state.call = 0;
  state.exchange.reset();
  if (!state.start_told) {
    tell_start(self, {});
  } else if (state.start_known) {
    record(self);
  }
}

void show_progress(agent_pointer self) {
  const auto& state = self->state;
  const auto hub = state.deps.hub.get();
  if (!hub) {
    return;
  }
  const auto& task = state.order.task;
  task_progress fact{state.order.run,
                     task.step,
                     task.id,
                     state.order.attempt,
                     task.agent,
                     state.deps.clock->now(),
                     state.last_line,
                     state.bytes};
  if (state.silence) {
    fact.silent = state.silence->length;
    fact.cpu_time = state.silence->cpu_time;
    fact.busy = is_busy(*state.silence);
  }
  self->send(hub, std::move(fact));
}

void progressed(agent_pointer self, std::string line, std::int64_t bytes) {
  auto& state = self->state;
  state.session->printed();
  state.last_line = std::move(line);
  state.bytes = bytes;
  state.silence.reset();
  show_progress(self);
}

void fell_silent(agent_pointer self, process_silence seen) {
  self->state.silence = seen;
  show_progress(self);
}

void start_process(agent_pointer self, process_request request) {
  process_listener listener;
  listener.started = on_actor(self, [](agent_pointer me, process_identity process) {
    tell_start(me, process);
    carry_out(me, me->state.session->started());
  });
  listener.silent = on_actor(self, fell_silent);
  listener.progress = on_actor(self, progressed);
  listener.output_limit_reached =
      on_actor(self, [](agent_pointer me) { carry_out(me, me->state.session->output_limit_reached()); });
  listener.exited =
      on_actor(self, [](agent_pointer me, const process_exit&) { carry_out(me, me->state.session->exited()); });
  listener.ended = [post = on_actor(self, [](agent_pointer me, const std::shared_ptr<process_end>& end) {
                      ended(me, end_of(std::move(*end)));
                    })](process_end end) { post(std::make_shared<process_end>(std::move(end))); };
  self->state.process = self->state.deps.processes->start(std::move(request), std::move(listener));
}

void start_function(agent_pointer self) {
  auto& state = self->state;
  const auto& order = state.order;
  function_request request;
  request.run = order.run;
  request.subject = order.subject;
  request.step = order.task.step;
  request.task = order.task.id;
  request.superstep = order.task.superstep;
  request.attempt = order.attempt;
  request.seed = order.seed;
  request.state = order.state;
  request.inputs = order.inputs;
  request.args = order.args;
  request.prompt = order.prompt;
  request.item = order.item;
  function_listener listener;
  listener.progress = on_actor(self, [](agent_pointer me, std::string line) { progressed(me, std::move(line), 0); });
  listener.ended =
      on_actor(self, [](agent_pointer me, result<function_reply> reply) { ended(me, end_of(std::move(reply))); });
  state.call = state.deps.functions->start(order.call, std::move(request), std::move(listener));
  tell_start(self, {});
}

void start_request(agent_pointer self) {
  auto& state = self->state;
  auto prepared = prepare_call(state.order, *state.deps.host_environment);
  if (!prepared) {
    ended(self, end_of(prepared.error()));
    return;
  }
  http_listener listener;
  listener.received = on_actor(self,
                               [preview = std::make_shared<answer_preview>(), key = prepared->key](
                                   agent_pointer me, const std::string& fresh, std::int64_t bytes) {
                                 auto line = preview->take(fresh);
                                 blot_out(line, key);
                                 progressed(me, std::move(line), bytes);
                               });
  listener.ended = [post =
                        on_actor(self, [key = prepared->key](agent_pointer me, const std::shared_ptr<http_end>& end) {
                          blot_out(*end, key);
                          ended(me, end_of(std::move(*end)));
                        })](http_end end) { post(std::make_shared<http_end>(std::move(end))); };
  state.exchange.emplace(state.deps.http, std::move(prepared->request), std::move(listener));
  tell_start(self, {});
}

void start_command(agent_pointer self) {
  auto& state = self->state;
  if (state.order.spec.prompt == prompt_channel::file) {
    auto written = state.deps.prompt_files->write(state.order.prompt);
    if (!written) {
      ended(self, end_of(written.error()));
      return;
    }
    state.prompt_file = *std::move(written);
  }
  auto request = launch_request(state.order, *state.deps.host_environment, state.prompt_file);
  if (!request) {
    ended(self, end_of(request.error()));
    return;
  }
  start_process(self, *std::move(request));
}

void end_played(agent_pointer self) {
  if (auto end = std::exchange(self->state.to_play, std::nullopt)) {
    ended(self, *std::move(end));
  }
}

void play(agent_pointer self) {
  auto& state = self->state;
  state.is_played = true;
  auto answer = state.deps.player->play(state.order);
  if (!answer) {
    ended(self, end_of(answer.error()));
    return;
  }
  state.is_final = answer->how == recorded_end::too_late;
  if (answer->how != recorded_end::lost_race) {
    ended(self, std::move(answer->end));
    return;
  }
  state.to_play = std::move(answer->end);
  tell_start(self, {});
  carry_out(self, state.session->begun());
}

// Invariant 6. Others are told when they run, with the process that they are: a repeat of them does no harm, and they do
// not wait for a commit.
bool is_told_ahead(const attempt_order& order) {
  return order.spec.kind == agent_kind::function || order.spec.effects == effect_kind::external;
}

void execute(agent_pointer self) {
  auto& state = self->state;
  state.is_begun = true;
  switch (state.order.spec.kind) {
    case agent_kind::function:
      start_function(self);
      return;
    case agent_kind::http:
      start_request(self);
      return;
    case agent_kind::command:
    case agent_kind::workflow:
      start_command(self);
      return;
  }
}

bool will_be_played(const agent_state& state) {
  return state.deps.player != nullptr && asks_an_agent(state.order.spec.kind);
}

void start_executor(agent_pointer self) {
  auto& state = self->state;
  if (will_be_played(state)) {
    play(self);
    return;
  }
  if (is_told_ahead(state.order)) {
    state.is_begun = false;
    tell_start(self, {}, [=] { execute(self); });
  } else {
    execute(self);
  }
  carry_out(self, state.session->begun());
}

// Stopped before it began: it never ran. What is interrupted is not recorded: the task waits as it did, and what it has
// reserved is there for its next attempt, which has the same number.
void end_without_start(agent_pointer self, const stop_attempt& request) {
  auto& state = self->state;
  const error why{error_code::cancelled, "the attempt was stopped before it began", ""};
  if (request.cause == stop_cause::interrupted) {
    self->send(state.run, task_unrecorded{state.order.task.id, state.order.attempt, why});
    self->quit();
    return;
  }
  static_cast<void>(state.session->stop(request.cause, true));
  state.end = end_of(why);
  conclude(self);
}

// Invariant 5.
void reserve(agent_pointer self, reserve_budget wanted) {
  self->state.reserving = true;
  tell_writer(self, std::move(wanted), [=](const write_receipt&) {
    auto& state = self->state;
    state.reserving = false;
    if (state.too_soon) {
      end_without_start(self, *state.too_soon);
    } else {
      start_executor(self);
    }
  });
}

void begin(agent_pointer self) {
  auto& state = self->state;
  if (state.order.refused) {
    ended(self, end_of(*state.order.refused));
    return;
  }
  const auto& faults = state.deps.faults;
  if (auto due = faults ? faults->take_for(state.order.task.id, state.order.attempt) : std::nullopt) {
    spdlog::warn("{} attempt {}: {}", state.order.task.id.str(), state.order.attempt.value(), due->message);
    state.is_ordered = true;
    ended(self, end_of(*std::move(due)));
    return;
  }
  auto wanted =
      will_be_played(state) ? std::nullopt : reservation_of(state.order, state.deps.ceilings, state.deps.clock->now());
  if (wanted) {
    reserve(self, *std::move(wanted));
  } else {
    start_executor(self);
  }
}

void stop(agent_pointer self, const stop_attempt& request) {
  auto& state = self->state;
  if (state.reserving) {
    state.too_soon = state.too_soon.value_or(request);
  } else if (!state.end) {
    carry_out(self, state.session->stop(request.cause, request.at_once));
  }
}

void tell_process(const agent_state& state, ping_view& into) {
  into.step = state.order.task.step;
  into.attempt = state.order.attempt;
  into.pid = state.pid;
}

agent_actor::behavior_type behave(agent_pointer self, agent_deps deps, attempt_order order, const run_actor& run) {
  guard(
      self,
      "agent " + order.task.id.str(),
      [self](ping_view& into) { tell_process(self->state, into); },
      place_of(order));
  auto& state = self->state;
  state.deps = std::move(deps);
  state.session.emplace(order.limits, silence_limits{order.spec.first_output, order.spec.idle_timeout});
  state.order = std::move(order);
  state.run = run;
  self->monitor(run);
  self->set_down_handler([=](const caf::down_msg&) { self->quit(); });  // invariant 3, by the state's destructor
  begin(self);
  return {
      [=](const stop_attempt& request) { stop(self, request); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

agent_actor spawn_agent(caf::actor_system& system, agent_deps deps, attempt_order order, run_actor run) {
  return system.spawn(behave, std::move(deps), std::move(order), std::move(run));
}

}  // namespace troupe
