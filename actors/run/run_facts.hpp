// What the run actor tells the database and reads from it, and how it leaves. For the files of this folder only.
#pragma once

#include "actors/run/run_state.hpp"

#include <functional>
#include <utility>

namespace troupe {

/// Its parent may have given the task back while this run waited for people.
void tell_parent(run_pointer self);

/// The run's rows have an end, or it pauses: nobody is left to be woken.
void leave(run_pointer self);

/// The run cannot go on, and cannot say so in its rows either.
void stop_without_end(run_pointer self, const error& why);

/// Reads the run's rows as often as it takes: a reader may be restarted, and may have no connection for the moment.
void read_rows(run_pointer self, const std::function<void(const recovery_view&)>& then);

/// Tells a fact of the run's own; `then` follows its commit. A refusal that `refused` deals with (true) is none.
template <class Fact>
void commit(run_pointer self,
            Fact fact,
            const std::function<void()>& then,
            const std::function<bool(const error&)>& refused = {}) {
  ++self->state.committing;
  fact.run = self->state.run;
  if (fact.at == timestamp{}) {
    fact.at = self->state.deps.clock->now();
  }
  tell(self, self->state.deps.writer, std::move(fact), [=](const write_reply& reply) {
    --self->state.committing;
    if (reply) {
      then();
    } else if (refused && refused(reply.error())) {
      return;
    } else if (reply.error().code == error_code::cancelled) {
      leave(self);  // the run has ended meanwhile; its rows say how
    } else {
      stop_without_end(self, reply.error());
    }
  });
}

}  // namespace troupe
