// What people decide, as far as a node's callers have to do with it.
#include "runtime/gate_question.hpp"
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

constexpr milliseconds answer_timeout{10'000};
constexpr milliseconds patience{30'000};
constexpr milliseconds pause_before_asking_again{10};

result<std::vector<gate_view>> gates_of(read_pool& readers, const run_id& run) {
  auto session = readers.borrow(reading_patience);
  return session ? (*session)->list_gates(run) : result<std::vector<gate_view>>{session.error()};
}

bool is_carried_out(read_pool& readers, const run_id& run, lease_epoch epoch) {
  auto session = readers.borrow(reading_patience);
  const auto own = session ? (*session)->list_running(epoch) : result<std::vector<run_id>>{session.error()};
  return own && std::ranges::find(*own, run) != own->end();
}

}  // namespace

// A run, or its supervisor, that dies meanwhile is asked again in its next life: a decision is taken once.
write_reply node::state::decide_on(const decide_gate& told) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  write_reply answer = error{error_code::storage_unavailable, "the run's decisions are not taken now", "ask again"};
  caf::scoped_actor self{system};
  while (!is_down() && std::chrono::steady_clock::now() < deadline) {
    bool answered = false;
    if (const auto handle = runs.get()) {
      self->request(handle, answer_timeout, told)
          .receive(
              [&](const write_reply& reply) {
                answer = reply;
                answered = reply || reply.error().code != error_code::storage_unavailable;
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
  const auto find = [&]() -> result<gate_place> {
    const auto gates = gates_of(*inner_->readers, run);
    return gates ? find_gate(run, *gates, which, decision) : result<gate_place>{gates.error()};
  };
  const auto place = find();
  if (!place) {
    return place.error();
  }
  // Before it may go on, and end.
  const bool carried_out = is_carried_out(*inner_->readers, run, inner_->held.epoch());
  const auto written = inner_->decide_on({run, *place, decision});
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
