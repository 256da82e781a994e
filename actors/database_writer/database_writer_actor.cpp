#include "actors/database_writer/database_writer_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/write_session.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <deque>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe {
namespace {

struct waiting_write {
  std::shared_ptr<const write_command> what;
  caf::typed_response_promise<write_reply> answer;
};

struct writer_state {
  static inline const char* name = "database_writer";

  database_writer_deps deps;
  std::unique_ptr<write_session> session;
  std::deque<waiting_write> queue;
  std::vector<waiting_write> batch;
  bool flush_is_due = false;

  writer_state() = default;
  writer_state(const writer_state&) = delete;
  writer_state& operator=(const writer_state&) = delete;

  // Invariant 6: a promise that is dropped would never be answered (CAF 0.17 knows no broken promise).
  ~writer_state() {
    for (auto& write : batch) {
      write.answer.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
    for (auto& write : queue) {
      write.answer.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
  }
};

using writer_pointer = database_writer::stateful_pointer<writer_state>;

// The batch in one transaction: an answer for each command, and the events of those that hold.
struct batch_outcome {
  std::vector<write_reply> answers;
  std::shared_ptr<event_batch> events = std::make_shared<event_batch>();
};

result<batch_outcome> commit_batch(write_session& session, const std::vector<waiting_write>& batch) {
  if (const auto begun = session.begin(); !begun) {
    return begun.error();
  }
  batch_outcome outcome;
  outcome.answers.reserve(batch.size());
  for (const auto& write : batch) {
    auto applied = session.apply(*write.what);
    if (applied) {
      outcome.answers.emplace_back(applied->receipt);
      std::move(applied->events.begin(), applied->events.end(), std::back_inserter(*outcome.events));
    } else {
      outcome.answers.emplace_back(applied.error());
    }
  }
  if (const auto committed = session.commit(); !committed) {
    session.rollback();
    return committed.error();
  }
  return outcome;
}

void answer_all(std::vector<waiting_write>& batch, const error& why) {
  for (auto& write : batch) {
    write.answer.deliver(write_reply{why});
  }
  batch.clear();
}

void refuse_all_and_end(writer_pointer self, const error& why) {
  auto& state = self->state;
  spdlog::error("database writer ends after a storage error: {}", why.message);
  while (!state.queue.empty()) {
    state.queue.front().answer.deliver(write_reply{why});
    state.queue.pop_front();
  }
  state.session.reset();
  self->quit(caf::exit_reason::unhandled_exception);
}

void publish(writer_pointer self, const std::shared_ptr<event_batch>& events) {
  const auto hub = self->state.deps.hub.get();
  if (hub && !events->empty()) {
    self->send(hub, event_batch_ptr{events});
  }
}

void flush(writer_pointer self) {
  auto& state = self->state;
  state.flush_is_due = false;
  while (!state.queue.empty() && state.batch.size() < state.deps.batch_max) {
    state.batch.push_back(std::move(state.queue.front()));
    state.queue.pop_front();
  }
  if (state.batch.empty()) {
    return;
  }
  auto outcome = commit_batch(*state.session, state.batch);
  if (!outcome) {
    answer_all(state.batch, outcome.error());
    if (state.session->broken()) {
      refuse_all_and_end(self, outcome.error());
      return;
    }
  } else {
    publish(self, outcome->events);
    for (std::size_t i = 0; i < state.batch.size(); ++i) {
      state.batch[i].answer.deliver(std::move(outcome->answers[i]));
    }
    state.batch.clear();
  }
  if (!state.queue.empty()) {
    state.flush_is_due = true;
    self->send(self, flush_writes{});
  }
}

// The flush goes behind all that is in the mailbox already, so that the batch is what waits; alone, it comes next.
caf::result<write_reply> accept(writer_pointer self, write_request& request) {
  auto& state = self->state;
  auto answer = self->make_response_promise<write_reply>();
  if (state.queue.size() >= state.deps.queue_depth) {
    answer.deliver(write_reply{error{error_code::backpressure, "the database writer's queue is full", "ask again"}});
    return answer;
  }
  state.queue.push_back({std::move(request.what), answer});
  if (!state.flush_is_due) {
    state.flush_is_due = true;
    self->send(self, flush_writes{});
  }
  return answer;
}

database_writer::behavior_type behave(writer_pointer self, database_writer_deps deps) {
  guard(self, "database writer");
  self->state.deps = std::move(deps);
  auto opened = self->state.deps.open();
  if (!opened) {
    throw std::runtime_error{std::string{to_string(opened.error().code)} + ": " + opened.error().message};
  }
  self->state.session = *std::move(opened);
  return {
      [=](write_request& request) { return accept(self, request); },
      [=](flush_writes) { flush(self); },
  };
}

}  // namespace

database_writer spawn_database_writer(caf::actor_system& system, database_writer_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
