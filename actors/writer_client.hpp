// How an actor tells a fact to the database writer: until it is answered, and under the same key each time.
#pragma once

#include "actors/service.hpp"
#include "messages/interfaces/database_writer.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

namespace troupe {

/// True where asking again can help: the writer is being reborn, or the disk may recover.
bool worth_asking_again(error_code code) noexcept;

/// Whoever tells facts stops after this many askings, some seconds in all, and reports the storage error.
inline constexpr int write_tries_max = 8;
inline constexpr milliseconds write_timeout{30'000};

/// Calls `then` once, with the answer, on `self`. An actor that died, a time-out and a transient storage error are not
/// answers: the same command is sent again, to the writer of that moment, and the database tells a repeat from a new
/// fact. `self` must handle `later`.
template <class Self>
void tell(Self* self,
          const service<database_writer>& writer,
          std::shared_ptr<const write_command> what,
          std::function<void(write_reply)> then,
          int tries_left = write_tries_max) {
  const auto again = [=](error why) {
    if (tries_left <= 1) {
      then(std::move(why));
      return;
    }
    const milliseconds pause = milliseconds{10} * (1 << std::min(write_tries_max - tries_left, 7));
    self->delayed_send(self, pause, later{[=] { tell(self, writer, what, then, tries_left - 1); }});
  };
  const auto handle = writer.get();
  if (!handle) {
    again(error{error_code::storage_unavailable, "the database writer is not running", ""});
    return;
  }
  self->request(handle, write_timeout, write_request{what})
      .then(
          [=](write_reply& reply) {
            if (!reply && worth_asking_again(reply.error().code)) {
              again(reply.error());
            } else {
              then(std::move(reply));
            }
          },
          [=](caf::error&) {
            again(error{error_code::storage_unavailable, "the database writer did not answer", "see the log"});
          });
}

/// The same for a command by value.
template <class Self, class Command>
void tell(Self* self, const service<database_writer>& writer, Command what, std::function<void(write_reply)> then) {
  tell(self, writer, std::make_shared<const write_command>(std::move(what)), std::move(then));
}

}  // namespace troupe
