#include "actors/run/run_facts.hpp"

#include "actors/log_place.hpp"
#include "actors/run/attempts.hpp"

#include <spdlog/spdlog.h>

namespace troupe {
namespace {

constexpr milliseconds read_timeout{30'000};
constexpr milliseconds pause_before_reading{20};

}  // namespace

// Its parent may have given the task back while this run waited for people.
void tell_parent(run_pointer self) {
  const auto runs = self->state.deps.runs.get();
  if (self->state.parent && runs) {
    self->send(runs, *self->state.parent);
  }
}

// Nobody is left to be woken. (One that dies leaves its waits to its next life, which asks under the same keys.)
void leave(run_pointer self) {
  tell_parent(self);
  if (const auto handle = self->state.deps.retries.get()) {
    self->send(handle, forget_due{self->state.run, {}});
  }
  self->quit();  // its agents notice, and kill what they started
}

// The run cannot go on, and cannot say so in its rows either.
void stop_without_end(run_pointer self, const error& why) {
  auto& state = self->state;
  log_at({state.run, {}, {}, {}}, spdlog::level::err, "the run stops without an end: {}", why.message);
  if (const auto hub = state.deps.hub.get()) {
    self->send(hub, run_stopped{state.run, why});
  }
  leave(self);
}

// As often as it takes: a reader may be restarted, and may have no connection for the moment.
void read_rows(run_pointer self, const std::function<void(const recovery_view&)>& then) {
  const auto again = [=] { self->delayed_send(self, pause_before_reading, later{[=] { read_rows(self, then); }}); };
  const auto reader = self->state.deps.reader.get();
  if (!reader) {
    again();
    return;
  }
  self->request(reader, read_timeout, recovery_query{self->state.run})
      .then(
          [=](const recovery_answer& rows) {
            if (rows) {
              then(*rows);
            } else if (rows.error().code == error_code::backpressure) {
              again();
            } else {
              stop_without_end(self, rows.error());
            }
          },
          [=](caf::error&) { again(); });
}

}  // namespace troupe
