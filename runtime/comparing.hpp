// Two stored runs, side by side: how far they are the same, and where they part.
#pragma once

#include "actors/json/difference.hpp"
#include "actors/run/superstep_difference.hpp"
#include "messages/base/result.hpp"
#include "messages/views.hpp"
#include "storage/read_session.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

struct run_comparison {
  run_view left;  ///< Both without `result`.
  run_view right;
  std::vector<json_difference> inputs;
  std::optional<superstep_no> shared;         ///< Up to it both have the rows of one run: forks.
  std::int64_t supersteps = 0;                ///< That were compared, and are equal.
  std::optional<superstep_difference> first;  ///< None: they are equal, as far as they are committed.
  std::vector<json_difference> state;         ///< After the first superstep that differs.
  bool state_is_known = true;                 ///< False: a run has none there, or it cannot be read.

  bool is_same_workflow() const { return left.workflow_hash == right.workflow_hash; }
  bool is_equal() const { return is_same_workflow() && inputs.empty() && !first; }
};

/// Only what is committed; both may be at work. The past that a fork has from another run is read there. Blocks on the
/// disk. NOT_FOUND, STORAGE_*.
result<run_comparison> compare_runs(read_session& stored, const run_id& left, const run_id& right);

}  // namespace troupe
