#include "actors/run_supervisor/run_supervisor_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/writer_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace troupe {
namespace {

struct run_entry {
  run_actor handle;  // null between death and restart
  std::deque<std::chrono::steady_clock::time_point> deaths;
  std::int64_t restarts = 0;
  std::string last_reason;
  std::optional<run_id> parent;  // of a child run that its parent has asked for
};

error unanswered() {
  return {error_code::storage_unavailable,
          "the run's actor ended before it answered",
          "ask again: a decision that was taken is not taken twice"};
}

struct run_supervisor_state {
  static inline const char* name = "run_supervisor";
  run_supervisor_deps deps;
  std::map<run_id, run_entry> runs;
  bool stopping = false;  // takes no more runs
  bool at_once = false;
  bool asked_to_end = false;  // ends after the last

  // By the order of their coming.
  std::map<std::uint64_t, caf::typed_response_promise<write_reply>> deciding;
  std::uint64_t decisions = 0;

  run_supervisor_state() = default;
  run_supervisor_state(const run_supervisor_state&) = delete;
  run_supervisor_state& operator=(const run_supervisor_state&) = delete;

  // Runs do not outlive their supervisor. (Why not by links: supervisor_actor.cpp.)
  ~run_supervisor_state() {
    for (const auto& [run, entry] : runs) {
      caf::anon_send_exit(entry.handle, caf::exit_reason::kill);
    }
    for (auto& [number, promise] : deciding) {  // one that is dropped would never be answered
      promise.deliver(write_reply{unanswered()});
    }
  }
};

using supervisor_pointer = run_supervisor::stateful_pointer<run_supervisor_state>;
using start_promise = caf::typed_response_promise<start_reply>;

constexpr milliseconds read_timeout{30'000};

void start(supervisor_pointer self, const run_id& run) {
  auto& entry = self->state.runs[run];
  if (!entry.handle) {
    self->state.deps.undertaken.carry_out(run);
    entry.handle = self->state.deps.spawn_run(run);
    self->monitor(entry.handle);
    if (const auto cancelled = self->state.deps.undertaken.cancelled(run)) {  // 6
      self->send(entry.handle, *cancelled);
    }
    if (self->state.stopping) {  // its rows were under way when the others were told
      self->send(entry.handle, drain_runs{self->state.at_once});
    }
  }
}

constexpr milliseconds pause_before_reading{20};

// Those that have been started anew since this life began are none.
void take_up(supervisor_pointer self, const run_id& run) {
  if (!self->state.runs.contains(run)) {
    log_at({run, {}, {}, {}}, spdlog::level::warn, "the run is taken up again from its rows");
    start(self, run);
  }
}

// Invariant 5.
void take_up_own(supervisor_pointer self) {
  const auto again = [=] { self->delayed_send(self, pause_before_reading, later{[=] { take_up_own(self); }}); };
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    again();
    return;
  }
  self->request(reader, read_timeout, own_runs_query{self->state.deps.writer.epoch})
      .then(
          [=](const own_runs_answer& own) {
            if (!own) {
              again();
              return;
            }
            auto runs = self->state.deps.undertaken.to_carry_out();
            runs.insert(runs.end(), own->begin(), own->end());
            for (const auto& run : runs) {
              take_up(self, run);
            }
            self->state.deps.undertaken.forget_others();
          },
          [=](caf::error&) { again(); });
}

bool is_at_work(const run_supervisor_state& state, const run_id& run) {
  const auto found = state.runs.find(run);
  return found != state.runs.end() && found->second.handle;
}

void adopt(supervisor_pointer self, const run_id& run, const std::optional<run_id>& parent) {
  if (parent) {
    self->state.runs[run].parent = parent;
  }
}

// Invariant 2: the rows say whether the run is over.
void go_on(supervisor_pointer self, const start_run& request, start_promise answer) {
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    answer.deliver(
        start_reply{error{error_code::storage_unavailable, "the database reader is not running", "try again"}});
    return;
  }
  self->request(reader, read_timeout, run_query{request.run})
      .then(
          [=, run = request.run, parent = request.parent](const run_answer& found) mutable {
            if (!found) {
              answer.deliver(start_reply{found.error()});
              return;
            }
            const bool over = is_final(found->state);
            const bool at_work = is_at_work(self->state, run);
            if (!over) {
              start(self, run);
              adopt(self, run, parent);
            }
            answer.deliver(start_reply{start_receipt{over, !over, at_work}});
          },
          [=](caf::error&) mutable {
            answer.deliver(start_reply{error{error_code::storage_unavailable, "the run cannot be read", "try again"}});
          });
}

template <class Amount>
void keep_smaller(std::optional<Amount>& own, const std::optional<Amount>& given) {
  own = own && given ? std::min(*own, *given) : (own ? own : given);
}

// A child run has no more time and money than is left of its parent's.
void inherit(create_run& rows, const start_run& request) {
  rows.parent = request.parent;
  rows.parent_task = request.parent_task;
  rows.deadline_max = request.deadline_max;
  keep_smaller(rows.budget.microusd, request.budget.microusd);
  keep_smaller(rows.budget.tokens, request.budget.tokens);
  keep_smaller(rows.budget.time, request.budget.time);
}

caf::result<start_reply> accept(supervisor_pointer self, const start_run& request) {
  auto answer = self->make_response_promise<start_reply>();
  if (self->state.stopping) {
    answer.deliver(start_reply{error{error_code::cancelled, "the node is shutting down; nothing was started", ""}});
    return answer;
  }
  if (!request.flow) {
    go_on(self, request, answer);
    return answer;
  }
  auto rows = self->state.deps.first_rows(request);
  if (!rows) {
    answer.deliver(start_reply{rows.error()});
    return answer;
  }
  rows->at = self->state.deps.clock->now();
  inherit(*rows, request);
  tell(self, self->state.deps.writer, *std::move(rows), [=](const write_reply& reply) mutable {
    if (!reply) {
      answer.deliver(start_reply{reply.error()});
    } else if (reply->repeated) {
      go_on(self, request, answer);
    } else {
      start(self, request.run);
      adopt(self, request.run, request.parent);
      answer.deliver(start_reply{start_receipt{}});
    }
  });
  return answer;
}

void end_if_drained(supervisor_pointer self) {
  if (self->state.asked_to_end && self->state.runs.empty()) {
    self->quit(caf::exit_reason::user_shutdown);
  }
}

// Invariant 3.
bool may_restart(run_entry& entry, restart_intensity intensity, std::chrono::steady_clock::time_point now) {
  entry.deaths.push_back(now);
  while (now - entry.deaths.front() > intensity.window) {
    entry.deaths.pop_front();
  }
  return entry.deaths.size() <= static_cast<std::size_t>(intensity.count);
}

void leave(supervisor_pointer self, const run_id& run, const std::string& reason) {
  log_at({run, {}, {}, {}},
         spdlog::level::err,
         "the run is left as it stands: its actor died too often, last of: {}",
         reason);
  if (const auto hub = self->state.deps.hub.get()) {
    self->send(
        hub,
        run_stopped{run,
                    error{error_code::internal,
                          "the run's actor died too often, last of: " + reason,
                          "what is committed is kept; see the log, then go on with: troupe resume " + run.str()}});
  }
  self->state.deps.undertaken.forget(run);
  self->state.runs.erase(run);
}

// Invariant 6. Of a run that is under way nobody else is told; an actor of one that has ended leaves at once.
void cancel(supervisor_pointer self, const cancel_run& request) {
  auto& state = self->state;
  const auto found = state.runs.find(request.run);
  state.deps.undertaken.cancel(request);
  if (found == state.runs.end()) {
    if (!state.stopping) {
      start(self, request.run);
    }
    return;
  }
  if (found->second.handle) {
    self->send(found->second.handle, request);
  }
}

// Of a run that has ended only those children are left that slept. Their rows ended with its own.
void end_children(supervisor_pointer self, const run_id& parent) {
  const auto is_child = [parent](const auto& each) { return each.second.parent == parent; };
  if (self->state.stopping || std::ranges::none_of(self->state.runs, is_child)) {
    return;
  }
  const auto again = [=] {
    self->delayed_send(self, pause_before_reading, later{[=] { end_children(self, parent); }});
  };
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    again();
    return;
  }
  self->request(reader, read_timeout, run_query{parent})
      .then(
          [=](const run_answer& found) {
            if (!found && found.error().code == error_code::backpressure) {
              again();
            } else if (found && is_final(found->state)) {  // else it has stopped, and may go on
              for (const auto& each : self->state.runs) {
                if (is_child(each)) {
                  cancel(self, {run_id{each.first}});
                }
              }
            }
          },
          [=](caf::error&) { again(); });
}

void run_is_down(supervisor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto found = std::ranges::find_if(state.runs, [&](const auto& entry) {
    return entry.second.handle && entry.second.handle.address() == down.source;
  });
  if (found == state.runs.end()) {
    return;
  }
  auto& [run, entry] = *found;
  entry.handle = nullptr;
  if (!down.reason) {
    const run_id ended{run};
    state.deps.kin.leave(run, down.source);
    state.deps.undertaken.forget(run);
    state.runs.erase(found);
    end_children(self, ended);
  } else if (entry.last_reason = reason_text(down.reason);
             may_restart(entry, state.deps.intensity, self->clock().now())) {
    ++entry.restarts;
    log_at({run, {}, {}, {}}, spdlog::level::warn, "the run is restarted from its rows: {}", entry.last_reason);
    start(self, run_id{run});
  } else {
    leave(self, run_id{run}, std::string{entry.last_reason});
  }
  end_if_drained(self);
}

void drain(supervisor_pointer self, bool at_once) {
  self->state.stopping = true;
  self->state.at_once = self->state.at_once || at_once;
  for (const auto& [run, entry] : self->state.runs) {
    if (entry.handle) {
      self->send(entry.handle, drain_runs{at_once});
    }
  }
  end_if_drained(self);
}

// Invariant 7.
caf::result<write_reply> decide(supervisor_pointer self, const decide_gate& decision) {
  auto answer = self->make_response_promise<write_reply>();
  auto& state = self->state;
  const auto number = ++state.decisions;
  state.deciding.emplace(number, answer);
  const auto deliver = [=](write_reply reply) {
    self->state.deciding.extract(number).mapped().deliver(std::move(reply));
  };
  const auto found = state.runs.find(decision.run);
  if (found != state.runs.end() && found->second.handle) {
    self->request(found->second.handle, caf::infinite, decision)
        .then([=](const write_reply& reply) { deliver(reply); },
              [=](caf::error&) { deliver(write_reply{unanswered()}); });
    return answer;
  }
  auto stamped = decision;
  stamped.decision.at = state.deps.clock->now();
  tell(self, state.deps.writer, std::move(stamped), [=](const write_reply& reply) { deliver(reply); });
  return answer;
}

// A parent that is not at work finds out when it is.
void pass_on(supervisor_pointer self, const child_moved& fact) {
  const auto found = self->state.runs.find(fact.parent);
  if (found != self->state.runs.end() && found->second.handle) {
    self->send(found->second.handle, fact);
  }
}

void tell_runs(const run_supervisor_state& state, ping_view& into) {
  for (const auto& [run, entry] : state.runs) {
    child_view facts;
    facts.name = "run " + run.str();
    facts.state = entry.handle ? child_state::running : child_state::restarting;
    facts.restarts = entry.restarts;
    facts.last_reason = entry.last_reason;
    into.children.push_back({std::move(facts), entry.handle ? entry.handle.address() : caf::actor_addr{}});
  }
}

run_supervisor::behavior_type behave(supervisor_pointer self, run_supervisor_deps deps) {
  guard(self, "run supervisor", [self](ping_view& into) { tell_runs(self->state, into); });
  self->state.deps = std::move(deps);
  self->set_down_handler([=](const caf::down_msg& down) { run_is_down(self, down); });
  self->set_exit_handler([=](const caf::exit_msg&) {
    self->state.asked_to_end = true;
    drain(self, false);
  });
  take_up_own(self);
  return {
      [=](const start_run& request) { return accept(self, request); },
      [=](const cancel_run& request) { cancel(self, request); },
      [=](const drain_runs& request) { drain(self, request.at_once); },
      [=](const decide_gate& decision) { return decide(self, decision); },
      [=](const child_moved& fact) { pass_on(self, fact); },
      [](const later& due) { due.act(); },
  };
}

}  // namespace

run_supervisor spawn_run_supervisor(caf::actor_system& system, run_supervisor_deps deps) {
  return system.spawn(behave, std::move(deps));
}

}  // namespace troupe
