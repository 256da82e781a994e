// What people decide, as far as a node's callers have to do with it.
#include "runtime/gate_edit.hpp"
#include "runtime/gate_question.hpp"
#include "runtime/http/control_door.hpp"
#include "runtime/node.hpp"
#include "runtime/node_state.hpp"
#include "storage/read_pool.hpp"

#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

constexpr milliseconds pause_before_asking_again{10};

milliseconds left_until(clock::time_point deadline) {
  return std::max(std::chrono::ceil<milliseconds>(deadline - clock::now()), milliseconds{0});
}

result<std::vector<gate_view>> gates_of(read_pool& readers, const run_id& run, clock::time_point deadline) {
  auto session = readers.borrow(left_until(deadline));
  return session ? (*session)->list_gates(run) : result<std::vector<gate_view>>{session.error()};
}

status must_be_sound(read_pool& readers,
                     const run_id& run,
                     const gate_place& place,
                     const gate_decision& decision,
                     clock::time_point deadline) {
  auto session = readers.borrow(left_until(deadline));
  return session ? check_edit(**session, run, place, decision) : status{session.error()};
}

bool is_carried_out(read_pool& readers, const run_id& run, lease_epoch epoch, clock::time_point deadline) {
  auto session = readers.borrow(left_until(deadline));
  const auto own = session ? (*session)->list_running(epoch) : result<std::vector<run_id>>{session.error()};
  return own && std::ranges::find(*own, run) != own->end();
}

error nobody_knows() {
  return {error_code::storage_unavailable,
          "the run did not answer within " + to_text(command_patience) + "; the decision may have been taken",
          "say it again: a decision given twice is taken once"};
}

}  // namespace

// A run, or its supervisor, that dies meanwhile is asked again in its next life: a decision is taken once.
write_reply node::state::decide_on(const decide_gate& told, std::chrono::steady_clock::time_point deadline) {
  write_reply answer = nobody_knows();
  caf::scoped_actor self{system};
  while (!is_down() && clock::now() < deadline) {
    bool answered = false;
    if (const auto handle = runs.get()) {
      self->request(handle, left_until(deadline), told)
          .receive(
              [&](const write_reply& reply) {
                answered = reply || reply.error().code != error_code::storage_unavailable;
                answer = answered ? reply : nobody_knows();
              },
              [](const caf::error&) {});
    }
    if (answered) {
      break;
    }
    std::this_thread::sleep_for(pause_before_asking_again);
  }
  return answer;
}

result<gate_receipt> node::decide(const run_id& run, const gate_question& which, gate_decision decision) {
  const auto deadline = clock::now() + command_patience;
  const auto find = [&]() -> result<gate_place> {
    const auto gates = gates_of(*inner_->readers, run, deadline);
    return gates ? find_gate(run, *gates, which, decision) : result<gate_place>{gates.error()};
  };
  const auto place = find();
  if (!place) {
    return place.error();
  }
  if (auto sound = must_be_sound(*inner_->readers, run, *place, decision, deadline); !sound) {
    return sound.error();
  }
  // Before it may go on, and end.
  const bool carried_out = is_carried_out(*inner_->readers, run, inner_->held.epoch(), deadline);
  const auto written = inner_->decide_on({run, *place, decision}, deadline);
  if (!written) {
    // Somebody was faster: the rows say who.
    const auto again = written.error().code == error_code::cancelled ? find() : result<gate_place>{written.error()};
    return again ? written.error() : again.error();
  }
  return gate_receipt{*place, written->repeated, carried_out};
}

result<std::vector<pending_view>> node::pending() const {
  auto session = inner_->readers->borrow(reading_patience);
  return session ? (*session)->list_pending() : result<std::vector<pending_view>>{session.error()};
}

}  // namespace troupe
