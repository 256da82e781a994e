// Producers that do not stop: each is an actor that tells whole runs, one after the other, fact by fact.
#pragma once

#include "perf/bare_rows.hpp"
#include "perf/statistics.hpp"
#include "perf/writing_actors.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::perf {

/// Everything that is told of one run, from its creation to its end: one superstep of `tasks` agents that print 500 bytes
/// each.
std::vector<fact_ptr> whole_run(const std::string& id, int tasks);

/// Of the run that was begun as the `number`th of a load, from 0. Ids sort by age, as those of a node do: so the rows of
/// runs that are at work at the same time are neighbours.
std::string id_of_run(const std::string& name, std::int64_t number);

class endless_load {
 public:
  /// Begins at once. `name` begins the ids of the runs. `on` outlives this.
  endless_load(writing_actors& on, const std::string& name, int producers);
  endless_load(const endless_load&) = delete;
  endless_load& operator=(const endless_load&) = delete;

  /// As stop; what goes wrong then is told on stderr.
  ~endless_load();

  /// Returns when every fact that was told has its receipt. Throws what a producer was answered, if that was an error.
  void stop();

  /// Facts that have their receipt.
  std::int64_t facts() const noexcept;

  /// Microseconds from telling to receipt, of every 16th fact since the last call. Memory is bounded by being called.
  sample take_latencies();

 private:
  struct shared;
  std::unique_ptr<shared> shared_;
};

}  // namespace troupe::perf
