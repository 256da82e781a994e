// The database writer, its checkpointer and the pool of readers that it makes pause, as every node has them; benchmarks and
// tests take them from here, too.
#pragma once

#include "actors/database_writer/database_writer_actor.hpp"
#include "actors/log_checkpointer/log_checkpointer_actor.hpp"
#include "storage/storage_options.hpp"

#include <cstddef>
#include <memory>

namespace troupe {

/// Sessions under `epoch`, batches that gather, and a log that the checkpointer moves at `wal_autocheckpoint` pages, and
/// begins anew at four times as many. Should it fall behind, the writer moves the log itself at eight times as many.
database_writer_deps writer_deps(const storage_options& storage,
                                 lease_epoch epoch,
                                 service<event_hub> hub,
                                 service<log_checkpointer> checkpointer);

/// By the steady clock. Opens nothing yet.
std::shared_ptr<read_pool> pool_of_readers(const storage_options& storage, std::size_t readers_max);

/// `readers` pause for a log that has to begin anew; null: there are none.
log_checkpointer_deps checkpointer_deps(const storage_options& storage, std::shared_ptr<read_pool> readers = nullptr);

}  // namespace troupe
