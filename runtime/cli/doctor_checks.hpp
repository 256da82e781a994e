// What troupe needs of the machine, each need looked at by itself.
#pragma once

#include "runtime/cli/context.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

enum class health { ok, warn, fail };

struct checkup {
  std::string name;
  health state = health::ok;
  std::string found;
  std::string advice;  ///< What to do; empty where all is well.
  exit_code if_failed = exit_code::failed;
};

checkup check_configuration(context& with);

/// These need a configuration that is loaded.
checkup check_database_file(const settings& values);
/// When the file was vacuumed last, and how much of it is free; `now` is the time of day.
checkup check_vacuum(const settings& values, timestamp now);
/// Whether the parts of the process that carries out runs answer; nothing where there is no such process.
std::optional<checkup> check_node(const settings& values);
/// The failures that this process was ordered to have, and how often they happened; nothing where none were, or where
/// nobody can be asked.
std::optional<checkup> check_running_faults(const settings& values);
checkup check_disk_space(const settings& values);
/// Starts a process through it and waits for its end, 5 s at most.
checkup check_custodian(const settings& values);
std::vector<checkup> check_agents(context& with);

/// What TROUPE_FAULTS orders for runs that are started from here.
checkup check_faults(context& with);

checkup check_open_files();
checkup check_terminal(context& with);

}  // namespace troupe
