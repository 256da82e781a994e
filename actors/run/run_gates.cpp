#include "actors/run/run_gates.hpp"

#include "actors/run/attempts.hpp"
#include "actors/run/run_facts.hpp"
#include "actors/writer_client.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace troupe {
namespace {

// Something has become of a gate that the run went to sleep for.
bool has_decided(const std::set<gate_place>& asked, const recovery_view& rows) {
  return std::ranges::any_of(rows.gates, [&](const gate_view& gate) {
    return gate.state != gate_state::open && asked.contains(gate.asked.place);
  });
}

// A decision is in the rows: the run goes on, if that is what it waited for.
void gates_moved(run_pointer self) {
  self->state.gates_stale = true;
  if (self->state.asleep) {
    look_up(self);
  } else {
    step_on(self);
  }
}

// Nobody has decided in time.
void expire(run_pointer self, const gate_place& place) {
  expire_gate fact{self->state.run, place, self->state.deps.clock->now()};
  tell(self, self->state.deps.writer, std::move(fact), [=](const write_reply& reply) {
    if (reply) {
      gates_moved(self);
    } else if (reply.error().code != error_code::cancelled) {  // it was decided, or the run has ended
      stop_without_end(self, reply.error());
    }
  });
}

std::string wait_of(const gate_place& place) {
  return "gate " + place.step.str() + ' ' + std::to_string(place.superstep.value()) + ' ' + std::to_string(place.level);
}

}  // namespace

// Paused, with every gate's time awaited already. The plan is made anew from the rows.
void wait_for_people(run_pointer self) {
  auto& state = self->state;
  const auto open = state.progress->open_gates();
  state.asked = {open.begin(), open.end()};
  state.progress.reset();
  state.asleep = true;
  look_up(self);
}

// Asleep: is there a reason to wake? One reading at a time, so that none is older than the one before it; what comes
// meanwhile leads to another.
void look_up(run_pointer self) {
  auto& state = self->state;
  if (state.looking) {
    return;
  }
  state.looking = true;
  state.gates_stale = false;
  const bool called = std::exchange(state.called, false);
  read_rows(self, [=](const recovery_view& rows) {
    auto& now = self->state;
    now.looking = false;
    now.loaded_at = rows.run.last_seq;
    if (now.end) {
      end_asleep(self);
    } else if (called || has_decided(now.asked, rows)) {
      begin(self, rows);
    } else if (now.called || now.gates_stale) {
      look_up(self);
    }
  });
}

// There is, and the rows do not tell it.
void call(run_pointer self) {
  self->state.called = true;
  look_up(self);
}

// The rows of the gates are what the plan knows of them.
void learn_gates(run_pointer self) {
  ++self->state.committing;
  self->state.gates_stale = false;
  read_rows(self, [=](const recovery_view& rows) {
    --self->state.committing;
    self->state.progress->learn(rows.gates);
    await_gates(self);
    step_on(self);
  });
}

// One after the other: they are few.
void ask_people(run_pointer self, std::vector<gate_opening> questions) {
  if (questions.empty()) {
    learn_gates(self);
    return;
  }
  auto question = std::move(questions.front());
  questions.erase(questions.begin());
  commit(self, open_gate{{}, std::move(question), {}}, [=] { ask_people(self, questions); });
}

// Each gate that is open, until its time; asleep or not.
void await_gates(run_pointer self) {
  auto& state = self->state;
  std::set<gate_place> open;
  for (const auto& gate : state.progress->gate_deadlines()) {
    open.insert(gate.place);
    if (state.awaited.insert(gate.place).second) {
      await(self, wait_of(gate.place), gate.due, [=] { expire(self, gate.place); });
    }
  }
  std::erase_if(state.awaited, [&](const gate_place& place) {
    const auto retries = state.deps.retries.get();
    if (!open.contains(place) && retries) {
      self->send(retries, forget_due{state.run, wait_of(place)});
    }
    return !open.contains(place);
  });
}

// The time of a gate has come, perhaps while nobody carried the run out, and what that decides is on its way to disk: it is
// not waited for a person.
bool expires_now(const run_actor_state& state) {
  const auto now = state.deps.clock->now();
  return std::ranges::any_of(state.progress->gate_deadlines(),
                             [&](const plan::gate_deadline& gate) { return gate.due <= now; });
}

caf::result<write_reply> decide(run_pointer self, const decide_gate& decision) {
  auto answer = self->make_response_promise<write_reply>();
  const auto number = ++self->state.decisions;
  self->state.deciding.emplace(number, answer);
  auto stamped = decision;
  stamped.decision.at = self->state.deps.clock->now();
  tell(self, self->state.deps.writer, std::move(stamped), [=](const write_reply& reply) {
    self->state.deciding.extract(number).mapped().deliver(reply);
    if (reply) {  // also a repeated one: the life that it was told to may have ended before it knew
      gates_moved(self);
    }
  });
  return answer;
}

}  // namespace troupe
