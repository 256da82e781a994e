#include "actors/database_reader/database_reader_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/read_pool.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe {
namespace {

struct reader_state {
  static inline const char* name = "database_reader";
  database_reader_deps deps;

  reader_state() = default;
  reader_state(const reader_state&) = delete;
  reader_state& operator=(const reader_state&) = delete;

  // Invariant 3.
  ~reader_state() {
    if (deps.sessions) {
      deps.sessions->close_idle();
    }
  }
};

using reader_pointer = database_reader::stateful_pointer<reader_state>;

template <class Answer, class Question>
Answer ask(reader_pointer self, Question question) {
  const auto& deps = self->state.deps;
  auto loan = deps.sessions->borrow(deps.patience);
  return loan ? Answer{question(**loan)} : Answer{loan.error()};
}

events_answer read_events(read_session& session, const events_query& query) {
  auto events = session.list_events(query.run, query.since, query.limit);
  if (!events) {
    return events.error();
  }
  return event_batch_ptr{std::make_shared<event_batch>(*std::move(events))};
}

database_reader::behavior_type behave(reader_pointer self, database_reader_deps deps) {
  guard(self, "database reader");
  self->state.deps = std::move(deps);
  return {
      [=](const run_query& query) {
        return ask<run_answer>(self, [&](read_session& session) { return session.find_run(query.run); });
      },
      [=](const own_runs_query& query) {
        return ask<own_runs_answer>(self, [&](read_session& session) { return session.list_running(query.epoch); });
      },
      [=](const recovery_query& query) {
        return ask<recovery_answer>(self, [&](read_session& session) { return session.load_recovery(query.run); });
      },
      [=](const events_query& query) {
        return ask<events_answer>(self, [&](read_session& session) { return read_events(session, query); });
      },
      [=](maintenance_query) {
        return ask<maintenance_answer>(self, [](read_session& session) { return session.find_maintenance(); });
      },
      [=](const provider_use_query& query) {
        return ask<provider_use_answer>(self, [&](read_session& session) { return session.find_provider_use(query); });
      },
  };
}

}  // namespace

database_reader spawn_database_reader(caf::actor_system& system, database_reader_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
