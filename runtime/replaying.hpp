// A stored run, replayed from its journal.
#pragma once

#include "actors/run/replay.hpp"
#include "messages/base/result.hpp"
#include "messages/journal.hpp"
#include "storage/read_session.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

/// The supersteps of a run in order, read in pages.
class journal_reader {
 public:
  journal_reader(read_session& stored, run_id run, superstep_no from)
      : stored_(stored), run_(std::move(run)), next_(from) {}

  /// None: no superstep follows. Blocks on the disk.
  result<std::optional<recorded_superstep>> next();

 private:
  read_session& stored_;
  run_id run_;
  superstep_no next_;  // behind the page
  std::vector<recorded_superstep> page_;
  std::size_t at_ = 0;
};

struct replay_report {
  run_id run;
  std::int64_t supersteps = 0;  ///< Committed, and compared.
  std::int64_t tasks = 0;
  std::chrono::microseconds took{0};  ///< With all reading.
  std::vector<replay_mismatch> mismatches;
};

/// Of a run in any state: what is committed is replayed. Nothing is written, nobody is asked. Blocks on the disk.
/// NOT_FOUND; INTERNAL where this version cannot read what the run is pinned to; STORAGE_*.
result<replay_report> replay_run(read_session& stored, const run_id& run, replay_mode mode);

}  // namespace troupe
