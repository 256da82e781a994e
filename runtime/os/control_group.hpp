// Control groups, version 2 (the kernel's admin-guide/cgroup-v2): a set of processes that the kernel counts, and kills in one
// step. For the custodian and its keepers: needs nothing else. Where none can be made, everything works without.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace troupe::custody {

/// The folder of this process's own group, in which groups for children can be made: from the texts of
/// /proc/self/mountinfo and /proc/self/cgroup. Empty where version 2 is not mounted, or not where we are.
std::string control_group_home(const std::string& mounts, const std::string& groups);

/// `troupe-PID`, of the keeper that makes it.
std::string control_group_name(pid_t keeper);

/// Removes the groups in `home` that keepers which were killed have left; none that has a process in it, and none of a
/// keeper that lives, also of another custodian.
void sweep_control_groups(const std::string& home);

/// One group, or none. Blocks for calls to the kernel only. What cannot be read or written is as if there were no group.
class control_group {
 public:
  control_group() = default;

  /// None where `home` is empty, or does not let us.
  static control_group make(const std::string& home, const std::string& name);
  /// One that another process has made.
  static control_group existing(const std::string& home, const std::string& name);

  control_group(control_group&& other) noexcept;
  control_group& operator=(control_group&& other) noexcept;
  ~control_group();

  explicit operator bool() const noexcept { return !folder_.empty(); }

  /// A process that writes "0" to this descriptor is in the group, and so is what it starts. -1: no group.
  int entrance() const noexcept { return entrance_; }

  /// SIGKILL to all of it; no fork escapes.
  void kill() const;

  /// False while any process, zombies not counted, is in it. True where it cannot be read.
  bool is_empty() const;

  /// Used so far by all that were ever in it.
  std::optional<long long> cpu_us() const;

  /// True when the folder is gone; it stays while a process is in it.
  bool remove();

 private:
  explicit control_group(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  int entrance_ = -1;
};

}  // namespace troupe::custody
