#include "runtime/cli/pinned_submission.hpp"

#include "config/workflow_file.hpp"

#include <utility>

namespace troupe {

result<submission> pinned_submission(read_session& stored, const run_id& run) {
  auto recovery = stored.load_recovery(run);
  if (!recovery) {
    return recovery.error();
  }
  const loaded_workflow loaded = parse_workflow(recovery->workflow_source, recovery->run.workflow, "");
  if (loaded.flow == nullptr) {
    return error{.code = error_code::invalid_workflow,
                 .message = "this version of troupe cannot read the workflow that run " + run.str() + " is pinned to",
                 .hint = "go on with the version that started it; its rows are kept as they are"};
  }
  submission what;
  what.id = run;
  return what;
}

}  // namespace troupe
