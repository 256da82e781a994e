#include "actors/blob_writer/blob_writer_actor.hpp"

#include "actors/actor_guard.hpp"
#include "storage/blobs.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

namespace troupe {
namespace {

struct blob_writer_state {
  static inline const char* name = "blob_writer";
  std::unique_ptr<blob_store> store;
};

using blob_writer_pointer = blob_writer::stateful_pointer<blob_writer_state>;

status put_stream(blob_store& store, const std::shared_ptr<const std::string>& stream, std::optional<blob_ref>& into) {
  if (!stream) {
    return done;
  }
  const auto stored = store.put(*stream);
  if (!stored) {
    return stored.error();
  }
  into = *stored;
  return done;
}

put_blobs_reply put(blob_store& store, const put_blobs& asked) {
  output_blobs blobs;
  auto stored = put_stream(store, asked.standard_output, blobs.standard_output);
  if (stored) {
    stored = put_stream(store, asked.standard_error, blobs.standard_error);
  }
  if (!stored) {
    spdlog::warn("a large output waits for the disk: {}", stored.error().message);
    return stored.error();
  }
  return blobs;
}

blob_writer::behavior_type behave(blob_writer_pointer self, const blob_writer_deps& deps) {
  guard(self, "blob writer");
  self->state.store = std::make_unique<blob_store>(deps.storage);
  self->state.store->remove_partial();
  return {
      [=](const put_blobs& asked) { return put(*self->state.store, asked); },
  };
}

}  // namespace

blob_writer spawn_blob_writer(caf::actor_system& system, blob_writer_deps deps, placement where) {
  return where == placement::own_thread ? system.spawn<caf::detached>(behave, std::move(deps))
                                        : system.spawn(behave, std::move(deps));
}

}  // namespace troupe
