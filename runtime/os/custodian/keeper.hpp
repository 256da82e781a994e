// A keeper: one process beside each agent, a subreaper, so that whatever the agent starts stays its descendant.
#pragma once

#include <sys/resource.h>

#include <string>
#include <vector>

namespace troupe::custody {

struct start_order {
  std::vector<char> texts;                  ///< What the pointers below point into.
  const char* working_directory = nullptr;  ///< Empty: as it is.
  std::vector<char*> arguments;             ///< Ends with null.
  std::vector<char*> environment;           ///< Ends with null.
  int input = -1;
  int output = -1;
  int errors = -1;
  int control = -1;
  const char* control_group_home = "";  ///< Where a control group can be made; empty: none is.
  rlim_t open_files = 0;                ///< The soft limit that the agent gets.
};

/// The whole life of a keeper, in the process that was forked for it: starts the agent, tells the runtime what becomes of
/// it, carries out its commands, and ends when no descendant is left. Never returns.
[[noreturn]] void keep(const start_order& order, int custodian_pid);

}  // namespace troupe::custody
