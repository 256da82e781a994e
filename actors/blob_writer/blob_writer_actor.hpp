// Makes files of large outputs, so that neither the database writer nor a scheduler thread waits for their sync.
//
// Owns      the one blob_store of the node, and with it what is half written. Blocks on the disk, so it has a thread of
//           its own in production.
// 1.        An answer with references comes after the files are on disk, under their names.
// 2.        What could not be put is answered with the error of the disk; the next request is tried all the same.
// 3.        It begins by removing what a dead process left half written.
// Bounded   by who asks: the database writer has at most `queue_depth` commands with it and in its own queue, and each
//           holds bytes that its sender keeps anyway until it is answered, so waiting here costs no memory.
// Dies of   a bug only. Restarted by the root supervisor: permanent. Who waits then gets `request_receiver_down`.
#pragma once

#include "actors/placement.hpp"
#include "messages/interfaces/blob_writer.hpp"
#include "storage/storage_options.hpp"

#include <caf/fwd.hpp>

namespace troupe {

struct blob_writer_deps {
  storage_options storage;
};

blob_writer spawn_blob_writer(caf::actor_system& system, blob_writer_deps deps, placement where);

}  // namespace troupe
