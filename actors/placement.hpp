#pragma once

namespace troupe {

/// Where an actor runs: the spawner's choice, so that tests can put every actor on one thread.
enum class placement {
  shared,      ///< On the scheduler's workers: never blocks.
  own_thread,  ///< For actors that block in SQLite.
};

}  // namespace troupe
