// One function for each command: its options and help into the tree, and what it does.
#pragma once

#include "runtime/cli/command_tree.hpp"

namespace troupe {

void add_run(command_tree& tree);
void add_resume(command_tree& tree);
void add_runs(command_tree& tree);
void add_show(command_tree& tree);
void add_costs(command_tree& tree);
void add_logs(command_tree& tree);
void add_output(command_tree& tree);
void add_pending(command_tree& tree);
void add_approve(command_tree& tree);
void add_cancel(command_tree& tree);
void add_replay(command_tree& tree);
void add_diff(command_tree& tree);
void add_fork(command_tree& tree);
void add_agents(command_tree& tree);
void add_check(command_tree& tree);
void add_graph(command_tree& tree);
void add_config(command_tree& tree);
void add_db(command_tree& tree);
void add_doctor(command_tree& tree);
void add_completion(command_tree& tree);

}  // namespace troupe
