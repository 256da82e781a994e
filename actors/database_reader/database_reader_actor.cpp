#include "actors/database_reader/database_reader_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/read_session.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <stdexcept>
#include <utility>

namespace troupe {
namespace {

struct reader_state {
  static inline const char* name = "database_reader";
  std::unique_ptr<read_session> session;
};

using reader_pointer = database_reader::stateful_pointer<reader_state>;

events_answer read_events(read_session& session, const events_query& query) {
  auto events = session.list_events(query.run, query.since, query.limit);
  if (!events) {
    return events.error();
  }
  return event_batch_ptr{std::make_shared<event_batch>(*std::move(events))};
}

database_reader::behavior_type behave(reader_pointer self, const database_reader_deps& deps) {
  guard(self, "database reader");
  auto opened = deps.open();
  if (!opened) {
    throw std::runtime_error{std::string{to_string(opened.error().code)} + ": " + opened.error().message};
  }
  self->state.session = *std::move(opened);
  return {
      [=](const run_query& query) -> run_answer { return self->state.session->find_run(query.run); },
      [=](const recovery_query& query) -> recovery_answer { return self->state.session->load_recovery(query.run); },
      [=](const events_query& query) -> events_answer { return read_events(*self->state.session, query); },
  };
}

}  // namespace

database_reader spawn_database_reader(caf::actor_system& system, database_reader_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
