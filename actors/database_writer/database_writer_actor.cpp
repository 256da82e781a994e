#include "actors/database_writer/database_writer_actor.hpp"

#include "actors/actor_guard.hpp"
#include "actors/crash_orders.hpp"
#include "actors/database_writer/gathering.hpp"
#include "actors/database_writer/large_outputs.hpp"
#include "actors/database_writer/maintenance.hpp"
#include "storage/write_session.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <deque>
#include <map>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe {
namespace {

struct waiting_write {
  write_request request;
  caf::typed_response_promise<write_reply> answer;
};

struct writer_state {
  static inline const char* name = "database_writer";

  database_writer_deps deps;
  std::unique_ptr<write_session> session;  ///< None after an error of the disk, until the next batch.
  std::deque<waiting_write> queue;
  std::vector<waiting_write> batch;
  std::unordered_set<run_id> overtaking;  ///< Runs of which a command in the queue went before the others.
  gathering company{gathering::duration{0}};
  std::map<std::uint64_t, waiting_write> putting;  ///< With the blob writer.
  std::uint64_t puts = 0;
  bool flush_is_due = false;
  bool is_checkpointing = false;

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
    for (auto& [number, write] : putting) {
      write.answer.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
  }
};

using writer_pointer = database_writer::stateful_pointer<writer_state>;

constexpr milliseconds checkpoint_patience{60'000};

// The batch in one transaction: an answer for each command, and the events of those that hold.
struct batch_outcome {
  std::vector<write_reply> answers;
  std::shared_ptr<event_batch> events = std::make_shared<event_batch>();
};

// The COMMIT alone: what a batch costs whatever its size.
status timed_commit(writer_state& state) {
  if (!state.deps.gather) {
    return state.session->commit();
  }
  const auto begun = state.deps.gather->now();
  auto committed = state.session->commit();
  const auto ended = state.deps.gather->now();
  state.company.committed(state.batch.size(), ended - begun, ended);
  return committed;
}

// For each attempt that ends with this batch.
void reach(const writer_state& state, crash_point where) {
  const auto& crashes = state.deps.crashes;
  if (!crashes || !crashes->any()) {
    return;
  }
  for (const auto& write : state.batch) {
    if (const auto* end = std::get_if<finish_attempt>(write.request.what.get())) {
      crashes->reach(where, end->task, end->attempt);
    }
  }
}

result<batch_outcome> commit_batch(writer_state& state) {
  auto& session = *state.session;
  if (const auto begun = session.begin(); !begun) {
    return begun.error();
  }
  batch_outcome outcome;
  outcome.answers.reserve(state.batch.size());
  for (const auto& [request, answer] : state.batch) {
    auto applied = session.apply(request.what, {request.epoch, request.waited});
    if (applied) {
      outcome.answers.emplace_back(applied->receipt);
      std::move(applied->events.begin(), applied->events.end(), std::back_inserter(*outcome.events));
    } else {
      outcome.answers.emplace_back(applied.error());
    }
  }
  reach(state, crash_point::in_transaction);
  if (const auto committed = timed_commit(state); !committed) {
    session.rollback();
    return committed.error();
  }
  reach(state, crash_point::after_commit);
  return outcome;
}

void flush_soon(writer_pointer self) {
  self->state.flush_is_due = true;
  self->send(self, flush_writes{});
}

void publish(writer_pointer self, const std::shared_ptr<event_batch>& events) {
  const auto hub = self->state.deps.hub.get();
  if (hub && !events->empty()) {
    self->send(hub, event_batch_ptr{events});
  }
}

// One at a time: while one is under way the log grows on, and the next moves that.
void checkpoint_if_due(writer_pointer self) {
  auto& state = self->state;
  const auto checkpointer = state.deps.checkpointer.get();
  if (state.is_checkpointing || !checkpointer || state.session->log_pages() < state.deps.checkpoint_pages) {
    return;
  }
  state.is_checkpointing = true;
  self->request(checkpointer, checkpoint_patience, checkpoint_log{})
      .then([=](log_checkpointed) { self->state.is_checkpointing = false; },
            [=](caf::error&) { self->state.is_checkpointing = false; });
}

void lose_session(writer_state& state, const error& why) {
  spdlog::error("nothing is written until the database can be opened anew: {}", why.message);
  state.session.reset();
}

status reopen(writer_state& state) {
  auto opened = state.deps.open();
  if (!opened) {
    return opened.error();
  }
  spdlog::info("the database can be written again");
  state.session = *std::move(opened);
  return done;
}

void answer_all(std::vector<waiting_write>& batch, const error& why) {
  for (auto& write : batch) {
    write.answer.deliver(write_reply{why});
  }
  batch.clear();
}

// Invariant 3: first the commit, then the events, then the answers.
void commit_and_answer(writer_pointer self) {
  auto& state = self->state;
  auto outcome = commit_batch(state);
  if (!outcome) {
    if (state.session->broken()) {
      lose_session(state, outcome.error());
    }
    answer_all(state.batch, outcome.error());
    return;
  }
  publish(self, outcome->events);
  for (std::size_t i = 0; i < state.batch.size(); ++i) {
    state.batch[i].answer.deliver(std::move(outcome->answers[i]));
  }
  state.batch.clear();
  checkpoint_if_due(self);
}

void write_batch(writer_pointer self) {
  auto& state = self->state;
  while (!state.queue.empty() && state.batch.size() < state.deps.batch_max) {
    state.batch.push_back(std::move(state.queue.front()));
    state.queue.pop_front();
  }
  state.overtaking.clear();
  commit_and_answer(self);
}

// Invariant 5. An error that lasts is told to each batch anew, at the pace of those who ask again.
bool has_session(writer_state& state) {
  const auto opened = state.session ? status{done} : reopen(state);
  if (!opened) {
    while (!state.queue.empty()) {
      state.queue.front().answer.deliver(write_reply{opened.error()});
      state.queue.pop_front();
    }
  }
  return opened.has_value();
}

void flush(writer_pointer self) {
  auto& state = self->state;
  state.flush_is_due = false;
  if (state.queue.empty() || !has_session(state)) {
    return;
  }
  const auto& gather = state.deps.gather;
  if (gather && state.queue.size() < state.deps.batch_max && state.company.pauses(gather->now())) {
    gather->sleep();
  } else {
    write_batch(self);
  }
  if (!state.queue.empty()) {
    flush_soon(self);
  }
}

// Invariant 10.
bool overtakes(writer_state& state, const write_request& request) {
  const auto& run = run_of(*request.what);
  return request.waited && state.session && !state.session->has_told_pressure(run) &&
         state.overtaking.insert(run).second;
}

// The flush goes behind all that is in the mailbox already, so that the batch is what waits; alone, it comes next.
void enqueue(writer_pointer self, waiting_write write) {
  auto& state = self->state;
  if (overtakes(state, write.request)) {
    state.queue.push_front(std::move(write));
  } else {
    state.queue.push_back(std::move(write));
  }
  if (!state.flush_is_due) {
    flush_soon(self);
  }
}

// As long as a sender waits for an answer (actors/writer_client.hpp), which then asks again.
constexpr milliseconds put_timeout{30'000};

void take_put(writer_pointer self, std::uint64_t number, const put_blobs_reply& reply) {
  auto waited = self->state.putting.extract(number);
  if (waited.empty()) {
    return;
  }
  auto& write = waited.mapped();
  if (!reply) {
    write.answer.deliver(write_reply{reply.error()});
    return;
  }
  write.request.what = with_blobs(*write.request.what, *reply);
  enqueue(self, std::move(write));
}

void put_first(writer_pointer self, waiting_write write, put_blobs large) {
  auto& state = self->state;
  const auto number = ++state.puts;
  state.putting.emplace(number, std::move(write));
  const error unanswered{error_code::storage_unavailable, "the blob writer did not answer", "see the log"};
  const auto blobs = state.deps.blobs.get();
  if (!blobs) {
    take_put(self, number, unanswered);
    return;
  }
  self->request(blobs, put_timeout, std::move(large))
      .then([=](const put_blobs_reply& reply) { take_put(self, number, reply); },
            [=](const caf::error&) { take_put(self, number, unanswered); });
}

caf::result<write_reply> accept(writer_pointer self, write_request& request) {
  auto& state = self->state;
  auto answer = self->make_response_promise<write_reply>();
  if (state.queue.size() + state.putting.size() >= state.deps.queue_depth) {
    answer.deliver(write_reply{error{error_code::backpressure, "the database writer's queue is full", "ask again"}});
    return answer;
  }
  if (auto large = streams_above(*request.what, state.deps.inline_limit)) {
    put_first(self, {std::move(request), answer}, *std::move(large));
  } else {
    enqueue(self, {std::move(request), answer});
  }
  return answer;
}

// A session that is broken is for the next batch, or the next maintenance, to replace.
template <class Answer, class Work>
Answer between_batches(writer_pointer self, Work work) {
  auto& state = self->state;
  if (!state.session) {
    if (auto opened = reopen(state); !opened) {
      return opened.error();
    }
  }
  Answer answer = work(*state.session);
  if (state.session->broken()) {
    lose_session(state, answer.error());
  }
  return answer;
}

// Agents' commits come first: whether one waits is looked at in the queue, and in the mailbox.
template <class Answer, class Word>
Answer maintain(writer_pointer self, const Word& word) {
  const writer_watch watch{[=] { return !self->state.queue.empty() || !self->mailbox().empty(); },
                           [=] { return self->clock().now(); }};
  return between_batches<Answer>(self, [&](write_session& session) { return carry_out(session, word, watch); });
}

database_writer::behavior_type behave(writer_pointer self, database_writer_deps deps) {
  guard(self, "database writer");
  auto& state = self->state;
  state.deps = std::move(deps);
  state.company = gathering{state.deps.gather ? state.deps.gather->pause : gathering::duration{0}};
  auto opened = state.deps.open();
  if (!opened) {
    throw std::runtime_error{std::string{to_string(opened.error().code)} + ": " + opened.error().message};
  }
  state.session = *std::move(opened);
  return {
      [=](write_request& request) { return accept(self, request); },
      [=](const vacuum_slice& slice) { return maintain<vacuum_answer>(self, slice); },
      [=](const shrink_file& shrink) { return maintain<shrink_answer>(self, shrink); },
      [=](const record_vacuum& told) {
        return between_batches<record_answer>(self, [&](write_session& session) { return carry_out(session, told); });
      },
      [=](flush_writes) { flush(self); },
  };
}

}  // namespace

database_writer spawn_database_writer(caf::actor_system& system, database_writer_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
