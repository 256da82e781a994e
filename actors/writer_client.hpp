// How an actor tells a fact to the database writer: in its turn, until it is answered, and under the same key each time.
#pragma once

#include "actors/service.hpp"
#include "actors/write_credit.hpp"
#include "config/settings.hpp"
#include "messages/interfaces/database_writer.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

/// Where the writer is, who may send to it, and under which lease. Copies mean the same writer.
struct writer_access {
  service<database_writer> actor;
  write_credit credit;
  lease_epoch epoch;
  retry_policy retry = retry_settings{}.storage;  ///< Of a command that the database could not take.
};

/// True where asking again can help: the writer is being reborn, or the disk may recover.
bool worth_asking_again(error_code code) noexcept;

inline constexpr milliseconds write_timeout{30'000};

/// How often one command has been told in vain.
struct write_tries {
  int unanswered = 0;  ///< By a writer that was not there, or did not answer.
  int refused = 0;     ///< With an error that may pass.
};

/// None: often enough. A writer that is being reborn is there within milliseconds, and is asked for some seconds; a disk
/// that refuses is given the time of `retry`.
std::optional<milliseconds> pause_before_telling_again(const retry_policy& retry,
                                                       const write_tries& so_far,
                                                       const error& why,
                                                       const write_command& what) noexcept;

/// Calls `then` once, with the answer, on `self`. Above the writer's queue_depth the command waits for its turn here. An
/// actor that died, a time-out and a transient storage error are not answers: the same command is sent again, to the
/// writer of that moment, and the database tells a repeat from a new fact. `self` must handle `later`.
template <class Self>
void tell(Self* self,
          const writer_access& writer,
          std::shared_ptr<const write_command> what,
          std::function<void(write_reply)> then,
          write_tries so_far = {}) {
  const auto again = [=](error why, write_tries now) {
    if (const auto pause = pause_before_telling_again(writer.retry, now, why, *what)) {
      self->delayed_send(self, *pause, later{[=] { tell(self, writer, what, then, now); }});
    } else {
      then(std::move(why));
    }
  };
  const write_tries unanswered{so_far.unanswered + 1, so_far.refused};
  const write_tries refused{so_far.unanswered, so_far.refused + 1};
  // `place` is kept with the question, and goes with its answer.
  const auto ask = [=](const write_place& place, bool waited) {
    const auto handle = writer.actor.get();
    if (!handle) {
      again(error{error_code::storage_unavailable, "the database writer is not running", ""}, unanswered);
      return;
    }
    self->request(handle, write_timeout, write_request{what, writer.epoch, waited})
        .then(
            [=](write_reply& reply) {
              static_cast<void>(place);
              if (!reply && worth_asking_again(reply.error().code)) {
                again(reply.error(), refused);
              } else {
                then(std::move(reply));
              }
            },
            [=](caf::error&) {
              again(error{error_code::storage_unavailable, "the database writer did not answer", "see the log"},
                    unanswered);
            });
  };
  if (auto place = writer.credit.take()) {
    ask(place, false);
    return;
  }
  // The handle keeps a sender alive that nobody else knows of.
  writer.credit.wait([ask, handle = caf::actor_cast<caf::strong_actor_ptr>(self)](write_place place) {
    caf::anon_send(caf::actor_cast<caf::actor>(handle), later{[=] { ask(place, true); }});
  });
}

/// The same for a command by value.
template <class Self, class Command>
void tell(Self* self, const writer_access& writer, Command what, std::function<void(write_reply)> then) {
  tell(self, writer, std::make_shared<const write_command>(std::move(what)), std::move(then));
}

}  // namespace troupe
