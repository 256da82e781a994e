#include "runtime/cli/commands.hpp"

namespace troupe {

void add_commands(command_tree& tree) {
  add_run(tree);
  add_resume(tree);
  add_runs(tree);
  add_show(tree);
  add_costs(tree);
  add_logs(tree);
  add_output(tree);
  add_pending(tree);
  add_approve(tree);
  add_cancel(tree);
  add_replay(tree);
  add_diff(tree);
  add_fork(tree);
  add_agents(tree);
  add_check(tree);
  add_graph(tree);
  add_config(tree);
  add_db(tree);
  add_doctor(tree);
  add_completion(tree);
}

}  // namespace troupe
