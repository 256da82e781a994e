#include "actors/log_checkpointer/log_checkpointer_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/log_checkpoint.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace troupe {
namespace {

struct checkpointer_state {
  static inline const char* name = "log_checkpointer";
  log_checkpointer_deps deps;
  std::unique_ptr<log_checkpoint> connection;
};

using checkpointer_pointer = log_checkpointer::stateful_pointer<checkpointer_state>;

log_checkpointed move_log(checkpointer_state& state) {
  if (!state.connection) {
    auto opened = state.deps.open();
    if (!opened) {
      spdlog::warn("the log is not moved to the database: {}", opened.error().message);
      return {};
    }
    state.connection = *std::move(opened);
  }
  if (const auto moved = state.connection->run(); !moved) {
    spdlog::warn("{}", moved.error().message);
    state.connection.reset();
  }
  return {};
}

log_checkpointer::behavior_type behave(checkpointer_pointer self, log_checkpointer_deps deps) {
  guard(self, "log checkpointer");
  self->state.deps = std::move(deps);
  return {[=](checkpoint_log) { return move_log(self->state); }};
}

}  // namespace

log_checkpointer spawn_log_checkpointer(caf::actor_system& system, log_checkpointer_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
