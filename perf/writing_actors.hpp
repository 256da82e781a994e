// The actors of a node that commits go through, with nothing around them, on a scheduler that is set as the node's.
#pragma once

#include "actors/writer_client.hpp"
#include "messages/interfaces/event_hub.hpp"
#include "messages/interfaces/log_checkpointer.hpp"
#include "storage/read_pool.hpp"
#include "storage/storage_options.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstddef>
#include <memory>

namespace troupe::perf {

inline constexpr std::size_t readers_max = 10;  // the default of storage.readers_max

class writing_actors {
 public:
  /// Writer, checkpointer and the pool of readers as runtime/writer_assembly makes them, and the event hub. The database
  /// must be there and migrated, under epoch 1.
  explicit writing_actors(const storage_options& options);
  writing_actors(const writing_actors&) = delete;
  writing_actors& operator=(const writing_actors&) = delete;

  /// Blocks until they and all other actors of the system have ended.
  ~writing_actors();

  caf::actor_system& system() noexcept { return system_; }
  const writer_access& writer() const noexcept { return writer_; }

  /// For reading on threads of one's own, as callers of a node do.
  read_pool& readers() noexcept { return *readers_; }

 private:
  std::shared_ptr<read_pool> readers_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  service<event_hub> hub_;
  writer_access writer_{{}, write_credit{}, lease_epoch{1}};
  service<log_checkpointer> checkpointer_;
};

}  // namespace troupe::perf
