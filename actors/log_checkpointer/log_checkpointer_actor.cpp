#include "actors/log_checkpointer/log_checkpointer_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/log_checkpoint.hpp"
#include "storage/read_pool.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

namespace troupe {
namespace {

struct checkpointer_state {
  static inline const char* name = "log_checkpointer";
  log_checkpointer_deps deps;
  std::unique_ptr<log_checkpoint> connection;
  std::int64_t anew_at = 0;  ///< Pages of the log.
};

constexpr milliseconds pause_patience{250};
constexpr milliseconds anew_patience{25};

using checkpointer_pointer = log_checkpointer::stateful_pointer<checkpointer_state>;

result<log_state> begin_anew(checkpointer_state& state) {
  const auto paused = state.deps.readers ? state.deps.readers->pause(pause_patience) : std::nullopt;
  auto log = state.connection->begin_anew(anew_patience);
  if (log) {
    state.anew_at = log->begins_anew ? state.deps.anew_pages : 2 * log->pages;
  }
  return log;
}

log_checkpointed move_log(checkpointer_state& state) {
  if (!state.connection) {
    auto opened = state.deps.open();
    if (!opened) {
      spdlog::warn("the log is not moved to the database: {}", opened.error().message);
      return {};
    }
    state.connection = *std::move(opened);
  }
  auto log = state.connection->move();
  if (log && log->pages >= state.anew_at) {
    log = begin_anew(state);
  }
  if (!log) {
    spdlog::warn("{}", log.error().message);
    state.connection.reset();
  }
  return {};
}

log_checkpointer::behavior_type behave(checkpointer_pointer self, log_checkpointer_deps deps) {
  guard(self, "log checkpointer");
  self->state.deps = std::move(deps);
  self->state.anew_at = self->state.deps.anew_pages;
  return {[=](checkpoint_log) { return move_log(self->state); }};
}

}  // namespace

log_checkpointer spawn_log_checkpointer(caf::actor_system& system, log_checkpointer_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
