// A new run that begins where another one stood after a superstep. Pure.
#pragma once

#include "messages/base/result.hpp"
#include "messages/journal.hpp"
#include "messages/workflow.hpp"
#include "messages/writes.hpp"

#include <vector>

namespace troupe {

/// What the new run takes over.
struct fork_point {
  recorded_superstep at;    ///< Committed: the new run has its state, and its number.
  recorded_superstep next;  ///< What it led to.
  std::vector<gate_view>
      gates;  ///< Of steps, not taken by a commit up to `at`, in the order in which they were opened.
};

/// The first rows of run `run`: the state after `from.at`, and the steps and the open questions that followed, under the
/// workflow, the inputs and the subject of the run it is forked from. Its limits begin anew. Gates ask again: no decision
/// is taken over.
/// INVALID_INPUT: one gate waits twice, which one superstep cannot open. INTERNAL: the rows contradict the workflow.
result<create_run> fork_rows(const workflow& flow, const run_view& of, const fork_point& from, const run_id& run);

}  // namespace troupe
