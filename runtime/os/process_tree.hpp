// Processes and their descendants, as the kernel sees them. For the custodian and for the runtime: needs nothing else.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace troupe::custody {

/// Children of a process: from /proc/PID/task/*/children, or, where the kernel has no such file, by a walk over /proc.
std::vector<pid_t> children_of(pid_t parent);

/// All that /proc shows.
std::vector<pid_t> all_processes();

/// 0 if the process is not there.
pid_t parent_of(pid_t pid);

/// A file of /proc/PID, as `environ`; empty where it cannot be read.
std::string proc_text(pid_t pid, const char* file);

/// SIGTERM to the group and to every descendant of this process, however deep.
void terminate_tree(pid_t group);

/// SIGKILL to the group (0: none) and to every child of this process but those in `spared`. What loses its parent by it
/// becomes our child and is found by the next call: call again after each SIGCHLD until nobody is left.
void kill_round(pid_t group, const std::vector<pid_t>& spared);

/// Processor time of every descendant of this process, the living and those that were waited for: user and system, in
/// microseconds, as fine as the kernel's clock tick.
long long descendants_cpu_us();

/// Field 22 of /proc/PID/stat; 0 if the process is not there.
long long start_time_of(pid_t pid);

}  // namespace troupe::custody
