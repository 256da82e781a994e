// A run carried out in this process and watched by whoever started it: what `run` and `resume` have in common.
#pragma once

#include "runtime/cli/context.hpp"
#include "runtime/node.hpp"

#include <memory>

namespace troupe {

struct execution_options {
  bool strict = false;    ///< A degraded result is an exit code of its own.
  bool one_line = false;  ///< With --json: one document on one line, since more follow.
  node_cassettes cassettes = {};
};

/// Carries the run out to its end, shows how it goes on stderr and prints what it came to on stdout. The context's
/// configuration is loaded. SIGINT cancels, a second one at once; SIGTERM and SIGHUP pause.
exit_code execute(context& with, submission what, const execution_options& options);

/// What `execute` prints at the end, of a run as it stands: nothing is carried out, and nothing written.
exit_code tell_as_it_stands(context& with, const run_id& run, const execution_options& options);

}  // namespace troupe
